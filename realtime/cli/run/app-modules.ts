import { existsSync, readFileSync, statSync } from "node:fs"
import { registerHooks } from "node:module"
import { dirname, join, resolve } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import { Refusal } from "../refusal.ts"

const extensions = [".ts", ".tsx", ".mts", ".js", ".jsx", ".mjs"]

/**
 * Lets this process import an app's modules as Next.js does: without extensions, by the `paths` of
 * tsconfig.json or jsconfig.json, and past `server-only`. Types are removed by Node.js itself, which knows
 * that from 22.18 on; what needs more than that, as an enum, fails.
 */
export function importAppModules(folder: string): void {
  if (!process.features.typescript)
    throw new Refusal(
      `Node.js ${process.versions.node} doesn't run TypeScript`,
      "Use 22.18 or newer, or write realtime/server in JavaScript.",
    )
  const aliases = aliasesOf(folder)
  registerHooks({
    resolve(specifier, context, next) {
      if (specifier === "server-only") return { url: "data:text/javascript,", shortCircuit: true }
      const file = fileOf(pathOf(specifier, context.parentURL) ?? aliases(specifier))
      if (!file || file.includes("/node_modules/")) return next(specifier, context)
      const format = /\.m?tsx?$/.test(file) ? "module-typescript" : undefined
      return { url: pathToFileURL(file).href, format, shortCircuit: true }
    },
  })
}

/** Of a relative specifier, or an absolute one. */
function pathOf(specifier: string, parent: string | undefined): string | undefined {
  if (specifier.startsWith("file:")) return fileURLToPath(specifier)
  if (!/^\.{1,2}\//.test(specifier) || !parent?.startsWith("file:")) return undefined
  return resolve(dirname(fileURLToPath(parent)), specifier)
}

const isFile = (path: string) => existsSync(path) && statSync(path).isFile()

function fileOf(path: string | undefined): string | undefined {
  if (path === undefined) return undefined
  return [
    path,
    ...extensions.map((end) => path + end),
    ...extensions.map((end) => join(path, `index${end}`)),
  ].find(isFile)
}

/** What `compilerOptions.paths` makes of a specifier; undefined where nothing does. */
function aliasesOf(folder: string): (specifier: string) => string | undefined {
  const config = ["tsconfig.json", "jsconfig.json"].map((name) => join(folder, name)).find(isFile)
  if (config === undefined) return () => undefined
  const { compilerOptions = {} } = parseWithComments(config)
  const base = join(folder, compilerOptions.baseUrl ?? ".")
  const patterns = Object.entries(compilerOptions.paths ?? {})
  return (specifier) => {
    for (const [pattern, targets] of patterns) {
      const [start = "", end] = pattern.split("*")
      const isMatch =
        end === undefined ? specifier === pattern : specifier.startsWith(start) && specifier.endsWith(end)
      if (!isMatch) continue
      const rest = end === undefined ? "" : specifier.slice(start.length, specifier.length - end.length)
      const found = targets
        .map((target) => join(base, target.replace("*", rest)))
        .find((path) => fileOf(path))
      if (found !== undefined) return found
    }
    return undefined
  }
}

interface Config {
  compilerOptions?: { baseUrl?: string; paths?: Record<string, string[]> }
}

/** Comments and trailing commas are allowed there; strings, which may hold either, are left alone. */
function parseWithComments(path: string): Config {
  const text = readFileSync(path, "utf8")
    .replace(/^\uFEFF/, "")
    .replace(/("(?:\\.|[^"\\])*")|\/\/.*|\/\*[\s\S]*?\*\//g, (_, string = "") => string)
    .replace(/("(?:\\.|[^"\\])*")|,(?=\s*[}\]])/g, (_, string = "") => string)
  try {
    return JSON.parse(text) as Config
  } catch (error) {
    throw new Refusal(`${path} can't be read (${(error as Error).message})`)
  }
}
