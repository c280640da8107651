import { existsSync, readdirSync, readFileSync, realpathSync } from "node:fs"
import { dirname, join, resolve } from "node:path"
import { parseEnv } from "node:util"
import { readTree, textOf } from "../init/tree.ts"

/**
 * What `doctor` sees of an app: no more than files, so that it needs no network and nothing of the app runs.
 */
export interface Facts {
  /** The text of each file that is looked at, by its path with `/`. */
  files: ReadonlyMap<string, string>
  /** As `AppTree` has them. */
  paths: ReadonlySet<string>
  hasBrowsersOutside: boolean
  /** What the app's process would see, and where each variable is set. */
  env: ReadonlyMap<string, { value: string; where: string }>
  /** The version of each package that is installed, of those that matter. */
  installed: ReadonlyMap<string, string>
  /** Where copies of this package are, other than the one that the app resolves. */
  otherCopies: readonly string[]
  /** What this package asks of its peers. */
  peerRanges: Readonly<Record<string, string>>
  isProduction: boolean
}

export interface FactOptions {
  folder: string
  isProduction: boolean
  environment: Readonly<Record<string, string | undefined>>
  peerRanges: Readonly<Record<string, string>>
}

const alsoRead = [
  ...["vercel.json", "netlify.toml", ".nvmrc", ".node-version", "Dockerfile"],
  ...["", "src/"].flatMap((root) => ["ts", "mts", "js", "mjs", "cjs"].map((end) => `${root}server.${end}`)),
]

const packages = [
  ...["throughline", "throughline-emulators", "next", "react", "react-dom"],
  ...["socket.io", "socket.io-client", "pusher", "pusher-js", "ably", "pg"],
  ...["redis", "@socket.io/redis-streams-adapter"],
]

export function readFacts({ folder, isProduction, environment, peerRanges }: FactOptions): Facts {
  const env = readEnv(folder, isProduction, environment)
  const variables = Object.fromEntries([...env].map(([name, { value }]) => [name, value]))
  const { files: known, paths, hasBrowsersOutside = false } = readTree(folder, variables)
  const files = new Map(known)
  const configs = ["", "nginx/", "deploy/", "docker/", "config/"].flatMap((at) =>
    namesIn(join(folder, at))
      .filter((name) => name.endsWith(".conf"))
      .map((name) => at + name),
  )
  for (const path of [...alsoRead, ...configs]) {
    const text = textOf(join(folder, path))
    if (text !== undefined) files.set(path, text)
  }
  const installed = new Map<string, string>()
  for (const name of packages) {
    const manifest = installedAt(folder, name)
    if (manifest) installed.set(name, JSON.parse(readFileSync(manifest, "utf8")).version)
  }
  return {
    files,
    paths,
    hasBrowsersOutside,
    env,
    installed,
    otherCopies: copiesOf(folder, "throughline"),
    peerRanges,
    isProduction,
  }
}

/** As Next.js reads them: what comes first counts. */
export function readEnv(folder: string, isProduction: boolean, environment: FactOptions["environment"]) {
  const mode = isProduction ? "production" : "development"
  const env = new Map<string, { value: string; where: string }>()
  for (const [name, value] of Object.entries(environment))
    if (value !== undefined) env.set(name, { value, where: "the environment" })
  for (const file of [`.env.${mode}.local`, ".env.local", `.env.${mode}`, ".env"])
    for (const [name, value = ""] of Object.entries(parseEnv(textOf(join(folder, file)) ?? "")))
      if (!env.has(name)) env.set(name, { value, where: file })
  return env
}

/** The package's manifest, where the app's own modules find it. */
function installedAt(folder: string, name: string): string | undefined {
  for (let at = resolve(folder); ; at = dirname(at)) {
    const path = join(at, "node_modules", name, "package.json")
    if (existsSync(path)) return path
    if (at === dirname(at)) return undefined
  }
}

/** Copies that a package of the app's has of its own, or that a workspace around the app has. */
function copiesOf(folder: string, name: string): string[] {
  const own = installedAt(folder, name)
  if (!own) return []
  const copies = new Map([[realpathSync(dirname(own)), ""]])
  for (let at = resolve(folder); ; at = dirname(at)) {
    const modules = join(at, "node_modules")
    const packages = namesIn(modules).flatMap((entry) =>
      entry.startsWith("@") ? namesIn(join(modules, entry)).map((inner) => join(entry, inner)) : [entry],
    )
    for (const path of [modules, ...packages.map((entry) => join(modules, entry, "node_modules"))]) {
      const copy = join(path, name)
      if (!existsSync(join(copy, "package.json"))) continue
      const real = realpathSync(copy)
      if (!copies.has(real)) copies.set(real, copy)
    }
    if (at === dirname(at)) return [...copies.values()].filter(Boolean)
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return []
    throw error
  }
}
