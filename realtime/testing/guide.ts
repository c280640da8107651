import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"

const guide = new URL("../../docs/guides/adopting.md", import.meta.url)

export interface Block {
  language: string
  body: string
  /** What its first line says which file it is. */
  path: string | undefined
}

/** The blocks of the guide to adopting, in their order. */
export function blocksOfGuide(): Block[] {
  return [...readFileSync(guide, "utf8").matchAll(/```(\w+)\n([\s\S]*?)```/g)].map(
    ([, language = "", body = ""]) => ({ language, body, path: /^(?:\/\/|#) (\S+)\n/.exec(body)?.[1] }),
  )
}

/** Writes the app of the guide into a folder. */
export function writeGuide(folder: string): string[] {
  const files = blocksOfGuide().filter(({ language }) => language.startsWith("ts"))
  return files.flatMap(({ path, body }) => {
    if (!path) return []
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), body)
    return [path]
  })
}
