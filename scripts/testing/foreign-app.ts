import { execFileSync } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { type PackedPackage, packOnce } from "../pack.ts"
import { projectDir } from "../run.ts"

export interface ForeignApp extends Disposable {
  readonly folder: string
  /** A file of the app, in JSON where it is an object. */
  write(path: string, content: string | object): void
}

/**
 * An app outside the project that has installed the packed tarballs with what they depend on, and of the optional packages these; without a
 * list, whatever the project has.
 */
export async function makeForeignApp(optional?: readonly string[]): Promise<ForeignApp> {
  const packages = await packOnce()
  const root = mkdtempSync(join(tmpdir(), "throughline-foreign-"))
  const folder = join(root, "app")
  const modules = join(folder, "node_modules")
  const installed = new Set(optional)
  for (const { manifest, tarball } of Object.values(packages)) {
    for (const name of Object.keys(manifest.dependencies ?? {})) installed.add(name)
    const target = join(modules, manifest.name)
    mkdirSync(target, { recursive: true })
    execFileSync("tar", ["-xzf", tarball, "-C", target, "--strip-components=1"])
  }
  if (optional)
    for (const name of installed) link(join(projectDir, "node_modules", name), join(modules, name))
  // Whatever isn't found in the app's own is looked for here.
  else link(join(projectDir, "node_modules"), join(root, "node_modules"))

  const app: ForeignApp = {
    folder,
    write(path, content) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), typeof content === "string" ? content : JSON.stringify(content))
    },
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  }
  app.write("package.json", { name: "foreign", private: true, type: "module" })
  return app
}

function link(target: string, path: string): void {
  mkdirSync(dirname(path), { recursive: true })
  symlinkSync(target, path)
}

/** As they are imported: `throughline/client`. */
export const doorsOf = ({ manifest }: PackedPackage): string[] =>
  Object.keys(manifest.exports).map((door) => manifest.name + door.slice(1))
