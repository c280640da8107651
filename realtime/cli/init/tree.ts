import { existsSync, readdirSync, readFileSync, statSync } from "node:fs"
import { dirname, join, resolve, sep } from "node:path"
import { Refusal } from "../refusal.ts"
import { type PackageJson, parsePackageJson } from "./package-json.ts"

/** What `init` sees of an app. Paths are relative to its folder and use `/`, on Windows too. */
export interface AppTree {
  /** The text of each file whose content matters. */
  files: ReadonlyMap<string, string>
  /**
   * Every path below `app`, `pages` and `realtime`, with or without `src/`, and each of these folders itself.
   */
  paths: ReadonlySet<string>
  /** Of `next` where it is installed, as in "16.4.5". */
  nextVersion?: string | undefined
  /** Whether something outside of the folder says which browsers are built for: `namesBrowsersOutside`. */
  hasBrowsersOutside?: boolean
}

type Environment = Readonly<Record<string, string | undefined>>

const roots = ["app", "pages", "realtime", "src/app", "src/pages", "src/realtime"]

const extensions = ["ts", "tsx", "mts", "js", "jsx", "mjs", "cjs"]
const named = (name: string) => extensions.map((extension) => `${name}.${extension}`)

/** Beside package.json, which may have a `browserslist`. */
const browserFiles = ["browserslist", ".browserslistrc"]

/** Whose content matters, wherever they are. */
const read: readonly string[] = [
  ...["package.json", "tsconfig.json", "jsconfig.json", ".env.local", ".env", "pnpm-workspace.yaml"],
  ...browserFiles,
  ...named("next.config"),
  ...["instrumentation", "middleware", "proxy"].flatMap((name) => [...named(name), ...named(`src/${name}`)]),
]

/**
 * What is there of an app in `folder`, where `environment` is that of its process. Throws what the file
 * system throws, but for what isn't there.
 */
export function readTree(folder: string, environment: Environment): AppTree {
  const paths = new Set<string>()
  for (const root of roots) {
    const below = listOf(join(folder, root))
    if (!below) continue
    paths.add(root)
    for (const path of below) paths.add(`${root}/${path.split(sep).join("/")}`)
  }
  const files = new Map<string, string>()
  const sources = [...paths].filter((path) => /(^|\/)realtime\/.*\.[cm]?[jt]sx?$/.test(path))
  for (const path of [...read, ...sources, ...[...paths].filter((path) => isExample(path))]) {
    const text = textOf(join(folder, path))
    if (text !== undefined) files.set(path, text)
  }
  return {
    files,
    paths,
    nextVersion: versionOf(join(folder, "node_modules/next/package.json")),
    hasBrowsersOutside: namesBrowsersOutside(folder, environment),
  }
}

/**
 * Next.js asks Browserslist, which takes the environment's word first, then that of the app's folder, then
 * that of the nearest one above. A folder above counts where both are of one repository or workspace: no
 * other machine that builds the app has the rest.
 */
function namesBrowsersOutside(folder: string, environment: Environment): boolean {
  if (environment.BROWSERSLIST || environment.BROWSERSLIST_CONFIG) return true
  let isFound = false
  for (let at = resolve(folder); ; at = dirname(at)) {
    const app = manifestIn(at)
    const has = (name: string) => existsSync(join(at, name))
    if (at !== resolve(folder) && namesBrowsers({ app, has })) isFound = true
    if (app.workspaces !== undefined || has("pnpm-workspace.yaml") || has(".git")) return isFound
    if (at === dirname(at)) return false
  }
}

/** Of a folder that need not be the app's: what isn't JSON there is passed over, as Browserslist does. */
function manifestIn(folder: string): PackageJson {
  try {
    return parsePackageJson(textOf(join(folder, "package.json")) ?? "{}")
  } catch (error) {
    if (error instanceof Refusal) return {}
    throw error
  }
}

/** Whether a folder says which browsers Next.js builds for, by its package.json or by a file for it. */
export const namesBrowsers = ({ app, has }: { app: PackageJson; has: (file: string) => boolean }): boolean =>
  app.browserslist !== undefined || browserFiles.some(has)

const isExample = (path: string) => /^(src\/)?app\/(chat|counter)\/[^/]+$/.test(path)

const isMissing = (error: unknown) =>
  ["ENOENT", "ENOTDIR", "EISDIR"].includes((error as NodeJS.ErrnoException).code ?? "")

function listOf(folder: string): string[] | undefined {
  try {
    return readdirSync(folder, { recursive: true, encoding: "utf8" })
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

export function textOf(path: string): string | undefined {
  try {
    return statSync(path).isFile() ? readFileSync(path, "utf8") : undefined
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

function versionOf(path: string): string | undefined {
  const text = textOf(path)
  return text === undefined ? undefined : (JSON.parse(text) as { version?: string }).version
}
