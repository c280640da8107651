import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, realpathSync } from "node:fs"
import { dirname, join } from "node:path"

/** A function that `vercel build` emitted: https://vercel.com/docs/build-output-api/primitives */
export interface EmittedFunction {
  /** As routes name it, as in `rooms/[room]`. */
  name: string
  /** Where it really is; several names may lead to one function. */
  folder: string
  handler: string
  /** It takes a `Request` and answers with a `Response`, as the one before all pages does; others take Node's own. */
  isWeb: boolean
  maxDuration: number | undefined
  /** Its files that are elsewhere in the project, by their place in the function. */
  traced: Record<string, string>
}

export function readFunctions(outputDir: string): EmittedFunction[] {
  const root = join(outputDir, "functions")
  return readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".func") && existsSync(join(root, path, ".vc-config.json")))
    .map((path) => {
      const folder = realpathSync(join(root, path))
      const config = JSON.parse(readFileSync(join(folder, ".vc-config.json"), "utf8")) as {
        handler: string
        useWebApi?: boolean
        maxDuration?: number
        filePathMap?: Record<string, string>
      }
      return {
        name: path.replace(/\.func$/, ""),
        folder,
        handler: config.handler,
        isWeb: config.useWebApi ?? false,
        maxDuration: config.maxDuration,
        traced: config.filePathMap ?? {},
      }
    })
}

/** Puts a function's files, and only those, into a folder. */
export function copyFunction({ folder, traced }: EmittedFunction, projectDir: string, to: string): void {
  cpSync(folder, to, { recursive: true, dereference: true })
  for (const [place, source] of Object.entries(traced)) {
    const path = join(to, place)
    mkdirSync(dirname(path), { recursive: true })
    cpSync(join(projectDir, source), path, { dereference: true, recursive: true })
  }
}

/** The packages that a function is made of. */
export function packagesOf({ traced }: EmittedFunction): Set<string> {
  const names = Object.keys(traced).flatMap(
    (path) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? [],
  )
  return new Set(names)
}
