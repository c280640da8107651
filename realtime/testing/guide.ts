import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"

const projectDir = new URL("../../", import.meta.url)
const adopting = "docs/guides/adopting.md"

export interface Block {
  language: string
  body: string
  /** What its first line says which file it is. */
  path: string | undefined
}

/** The blocks of a document, in their order; unless told, of the guide to adopting. */
export function blocksOf(document = adopting): Block[] {
  const text = readFileSync(new URL(document, projectDir), "utf8")
  return [...text.matchAll(/```(\w+)\n([\s\S]*?)```/g)].map(([, language = "", body = ""]) => ({
    ...{ language, body },
    path: /^(?:\/\/|#) (\S+)\n/.exec(body)?.[1],
  }))
}

/**
 * Writes the files that a document shows into a folder; unless told, the app of the guide to adopting.
 * Returns their paths.
 */
export function writeGuide(folder: string, document = adopting): string[] {
  const files = blocksOf(document).filter(({ language }) => language.startsWith("ts"))
  return files.flatMap(({ path, body }) => {
    if (!path) return []
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), body)
    return [path]
  })
}
