import { readdirSync, readFileSync } from "node:fs"
import { join, relative, sep } from "node:path"
import { ownPackage } from "../package.ts"

/** What `init` writes, by its path in an app: real files of this package. */
export function readTemplates(): ReadonlyMap<string, string> {
  const folder = join(ownPackage().folder, "cli/templates")
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  )
  return new Map(
    entries.map(({ parentPath, name }) => {
      const path = join(parentPath, name)
      return [
        relative(folder, path).split(sep).join("/"),
        readFileSync(path, "utf8").replaceAll("\r\n", "\n"),
      ]
    }),
  )
}
