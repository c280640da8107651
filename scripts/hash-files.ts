import { createHash } from "node:crypto"
import { globSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { projectDir } from "./run.ts"

/** One sum of what these files of the project hold and of how they are named, and of what else decides. */
export function hashFiles(patterns: readonly string[], ignored: RegExp, also = ""): string {
  const hash = createHash("sha256").update(also)
  const files = globSync([...patterns], { cwd: projectDir, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(projectDir.length + 1))
    .filter((path) => !ignored.test(path))
  for (const path of files.toSorted()) hash.update(`${path}\0`).update(readFileSync(join(projectDir, path)))
  return hash.digest("hex")
}
