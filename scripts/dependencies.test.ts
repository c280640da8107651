import { readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { projectDir } from "./run.ts"

interface Locked {
  dev?: boolean
  resolved?: string
  integrity?: string
  inBundle?: boolean
  link?: boolean
  hasInstallScript?: boolean
}

const read = (file: string) => JSON.parse(readFileSync(join(projectDir, file), "utf8")) as unknown
const { packages } = read("package-lock.json") as { packages: Record<string, Locked> }
const { allowScripts } = read("package.json") as { allowScripts: Record<string, boolean> }

/** All that `npm ci` downloads; what is in another one's archive is under that one's sum. */
const downloaded = Object.entries(packages).filter(
  ([path, { link, inBundle }]) => path.includes("node_modules/") && !link && !inBundle,
)
const nameOf = (path: string) => path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length)

/** What the lock says of them, without a network; `npm run audit` asks the registry for what has become known of them. */
describe("what is installed", () => {
  it("comes from npm's registry alone, and is what it was when it was locked", () => {
    expect(downloaded.length).toBeGreaterThan(100)
    const registry = "https://registry.npmjs.org/"
    // Without an address it is the registry's.
    const strange = downloaded.flatMap(([path, { resolved = registry, integrity = "" }]) =>
      resolved.startsWith(registry) && integrity.startsWith("sha512-") ? [] : [path],
    )
    expect(strange).toEqual([])
  })

  it("runs no program while it is installed that nobody has allowed", () => {
    const running = downloaded
      .filter(([, { hasInstallScript }]) => hasInstallScript)
      .map(([path]) => nameOf(path))
    expect(running.filter((name) => !allowScripts[name])).toEqual([])
  })

  it("is, where NODE_ENV is production, all that building and starting take", () => {
    const needed = ["node", "next", "typescript", "@types/node", "@types/react", "@types/react-dom"]
    const styles = ["postcss", "tailwindcss", "@tailwindcss/postcss", "@tailwindcss/oxide"]
    const left = [...needed, ...styles].filter((name) => packages[`node_modules/${name}`]?.dev !== undefined)
    expect(left).toEqual([])
  })
})
