import { existsSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"

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
