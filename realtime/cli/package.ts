import { existsSync, readFileSync } from "node:fs"
import { dirname, join, resolve } from "node:path"
import { parsePackageJson } from "./init/package-json.ts"
import { textOf } from "./init/tree.ts"

interface OwnPackage {
  /** The folder of this package, wherever in it this code was built to. */
  folder: string
  version: string
  peerDependencies: Readonly<Record<string, string>>
}

/** This package, as it is installed. */
export function ownPackage(): OwnPackage {
  for (let folder = import.meta.dirname; folder !== dirname(folder); folder = dirname(folder)) {
    const path = join(folder, "package.json")
    if (!existsSync(path)) continue
    const { name, version, peerDependencies } = JSON.parse(readFileSync(path, "utf8"))
    if (name === "throughline") return { folder, version, peerDependencies }
  }
  throw new Error(`unable to find the package of ${import.meta.dirname}; package.json is missing`)
}

/**
 * How a package.json names the emulators' tarball, where the app in `folder` has this package from a tarball
 * and the other one lies beside it, as `npm run pack` puts them. No registry has what such an app uses.
 */
export function emulatorsTarball(folder: string): string | undefined {
  const { dependencies, devDependencies } = parsePackageJson(textOf(join(folder, "package.json")) ?? "{}")
  const own = { ...devDependencies, ...dependencies }.throughline
  if (!own?.startsWith("file:") || !/\bthroughline-[^/]+\.tgz$/.test(own)) return undefined
  const spec = own.replace(/throughline-([^/]+)$/, "throughline-emulators-$1")
  return existsSync(resolve(folder, spec.slice("file:".length))) ? spec : undefined
}
