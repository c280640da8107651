import { readdirSync, readFileSync, statSync } from "node:fs"
import { join, sep } from "node:path"

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
}

const roots = ["app", "pages", "realtime", "src/app", "src/pages", "src/realtime"]

const extensions = ["ts", "tsx", "mts", "js", "jsx", "mjs", "cjs"]
const named = (name: string) => extensions.map((extension) => `${name}.${extension}`)

/** Whose content matters, wherever they are. */
const read: readonly string[] = [
  ...["package.json", "tsconfig.json", "jsconfig.json", ".env.local", ".env", "pnpm-workspace.yaml"],
  ".browserslistrc",
  ...named("next.config"),
  ...["instrumentation", "middleware", "proxy"].flatMap((name) => [...named(name), ...named(`src/${name}`)]),
]

/** What is there of an app in `folder`. Throws what the file system throws, but for what isn't there. */
export function readTree(folder: string): AppTree {
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
  return { files, paths, nextVersion: versionOf(join(folder, "node_modules/next/package.json")) }
}

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
