import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"

const guides = new URL("../../docs/guides/", import.meta.url)

export interface Block {
  language: string
  body: string
  /** What its first line says which file it is. */
  path: string | undefined
}

/** The blocks of a guide, in their order; unless told, of the one to adopting. */
export function blocksOfGuide(name = "adopting"): Block[] {
  return [...readFileSync(new URL(`${name}.md`, guides), "utf8").matchAll(/```(\w+)\n([\s\S]*?)```/g)].map(
    ([, language = "", body = ""]) => ({ language, body, path: /^(?:\/\/|#) (\S+)\n/.exec(body)?.[1] }),
  )
}

/**
 * Writes the files of a guide into a folder; unless told, the app of the one to adopting. Returns their
 * paths.
 */
export function writeGuide(folder: string, name?: string): string[] {
  const files = blocksOfGuide(name).filter(({ language }) => language.startsWith("ts"))
  return files.flatMap(({ path, body }) => {
    if (!path) return []
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), body)
    return [path]
  })
}
