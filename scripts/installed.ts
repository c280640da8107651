import { existsSync, readFileSync, realpathSync } from "node:fs"
import { join } from "node:path"

interface Package {
  version?: string
  integrity?: string
  /** Left out where it isn't made for the machine. */
  optional?: boolean
  /** A package of this repository: a link to the folder that `resolved` names. */
  link?: boolean
  resolved?: string
}

/**
 * What of a project isn't installed as its lock file says, in one line that says what to do; null when all is. npm notes in
 * `node_modules` what it put there; more than the lock names is nobody's trouble, and the packages' own programs put some. Uses nothing that
 * is installed.
 */
export function findStale(folder: string): string | null {
  const read = (file: string) => {
    const { packages } = JSON.parse(readFileSync(join(folder, file), "utf8")) as {
      packages: Record<string, Package>
    }
    return Object.entries(packages).filter(([path]) => path.startsWith("node_modules/"))
  }
  const noted = "node_modules/.package-lock.json"
  if (!existsSync(join(folder, noted))) return "Nothing is installed. Run npm ci."
  const [locked, installed] = [new Map(read("package-lock.json")), new Map(read(noted))]

  const isAsLocked = ([path, lock]: [string, Package]) => {
    const found = installed.get(path)
    if (!found) return lock.optional === true
    if (!existsSync(join(folder, path))) return false
    if (lock.link) return realpathSync(join(folder, path)) === realpathSync(join(folder, lock.resolved ?? ""))
    return found.version === lock.version && found.integrity === lock.integrity
  }
  const stale = [...locked]
    .filter((entry) => !isAsLocked(entry))
    .map(([path]) => path.slice("node_modules/".length))
  if (stale.length === 0) return null
  const [first, more] = [stale.slice(0, 3).join(", "), stale.length - 3]
  return `What is installed isn't what package-lock.json names: ${first}${more > 0 ? ` and ${more} more` : ""}. Run npm ci.`
}

/** Ends the program with that line, before hundreds of findings that all mean the same. */
export function requireInstalled(folder: string): void {
  const stale = findStale(folder)
  if (stale === null) return
  console.error(stale)
  process.exit(1)
}
