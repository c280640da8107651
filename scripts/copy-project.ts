import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs"
import { join } from "node:path"
import { projectDir } from "./run.ts"

export interface ProjectCopy extends Disposable {
  readonly folder: string
  /** Changes a file as an editor would. */
  edit(path: string, ...changes: readonly (readonly [from: string, to: string])[]): void
}

/**
 * A copy of the project that may be edited, as a checkout in which nothing was compiled yet. It lies inside the project, so that both find
 * the same `node_modules`, but for the packages that the copy holds itself, and has no lockfile, so that Next.js finds one, the project's, and takes the project for its root.
 */
export function copyProject(): ProjectCopy {
  const copy = copySources("development-")
  const { folder } = copy
  mkdirSync(join(folder, "node_modules"))
  symlinkSync("../realtime", join(folder, "node_modules/throughline"))
  symlinkSync("../emulators", join(folder, "node_modules/throughline-emulators"))
  return copy
}

/** The same without packages, which whoever calls puts there. */
export function copySources(prefix: string): ProjectCopy {
  const parent = join(projectDir, ".data")
  mkdirSync(parent, { recursive: true })
  const folder = mkdtempSync(join(parent, prefix))
  const left = ["node_modules", "package-lock.json", "test-results", "dist", "e2e", "docs"]
  for (const name of readdirSync(projectDir)) {
    if (name.startsWith(".") || left.includes(name)) continue
    cpSync(join(projectDir, name), join(folder, name), { recursive: true })
  }
  return {
    folder,
    edit(path, ...changes) {
      const file = join(folder, path)
      let text = readFileSync(file, "utf8")
      for (const [from, to] of changes) {
        if (!text.includes(from)) throw new Error(`unable to edit ${path}; it has no ${from} any more`)
        text = text.replace(from, () => to)
      }
      writeFileSync(file, text)
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
}
