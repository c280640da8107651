import { existsSync } from "node:fs"
import { createRequire } from "node:module"
import { join, relative, resolve } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import { isRealtimeError } from "../../errors.ts"
import type { Output } from "../output.ts"
import { Refusal, wrongConfig } from "../refusal.ts"
import { importAppModules } from "./app-modules.ts"
import { resolveFrom } from "./next.ts"

const places = ["", "src/"].flatMap((root) =>
  ["ts", "mts", "js", "mjs"].map((end) => `${root}realtime/server.${end}`),
)

export interface GatewayOptions {
  cwd: string
  port: number
  hostname?: string
}

/** What `realtime/server` exports, as far as it is used here. */
interface Listening {
  listen(port: number, hostname?: string): Promise<number>
  close(): Promise<void>
}

/**
 * `throughline gateway`: the app's gateway alone, until SIGTERM or SIGINT; then it
 * lets everybody go, and ends with 0.
 */
export async function runGateway(options: GatewayOptions, output: Output): Promise<number> {
  const folder = resolve(options.cwd)
  const path = places.find((place) => existsSync(join(folder, place)))
  if (path === undefined)
    throw new Refusal(
      "there is no realtime/server here",
      "Run it in the app's folder, after `throughline init`.",
      wrongConfig,
    )
  // The app's relative paths, as that of its log, are meant from there.
  process.chdir(folder)
  loadEnv(folder)
  importAppModules(folder)
  const realtime = await load(join(folder, path), path)
  const ended = new Promise<void>((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => resolve())
  })
  try {
    const port = await realtime.listen(options.port, options.hostname)
    output.print(`The gateway is on port ${port}.`)
    output.json({ port })
  } catch (error) {
    if (!isRealtimeError(error)) throw error
    await realtime.close()
    throw new Refusal(error.message, undefined, error.code === "invalid-config" ? wrongConfig : 1)
  }
  await ended
  await realtime.close()
  // What else the app's modules hold open doesn't hold the process.
  process.exit(0)
}

/**
 * As `next start` does: `.env.local`, `.env.production` and `.env`, where the
 * environment doesn't say otherwise.
 */
function loadEnv(folder: string): void {
  const isDevelopment = process.env.NODE_ENV === "development"
  Object.assign(process.env, { NODE_ENV: isDevelopment ? "development" : "production" })
  const next = resolveFrom(folder, "next/package.json", "Install the app's packages.")
  const { loadEnvConfig } = createRequire(next)("@next/env") as NextEnv
  loadEnvConfig(folder, isDevelopment, { info: () => {}, error: console.error })
}

/** What is used of `@next/env`, which comes with Next.js. */
interface NextEnv {
  loadEnvConfig(folder: string, isDevelopment: boolean, log: Pick<Console, "info" | "error">): unknown
}

async function load(file: string, path: string): Promise<Listening> {
  let module: { realtime?: Partial<Listening> }
  try {
    module = (await import(pathToFileURL(file).href)) as typeof module
  } catch (error) {
    const { message, stack = "" } = error as Error
    // Where that is in a file that it imports, only the stack says so.
    const [, url, line] = /(file:\/\/\S+?):(\d+)/.exec(stack) ?? []
    const place = url ? ` (${relative(process.cwd(), fileURLToPath(url))}:${line})` : ""
    throw new Refusal(`${path} can't be loaded; ${message}${place}`, undefined, wrongConfig)
  }
  const { realtime } = module
  if (typeof realtime?.listen !== "function" || typeof realtime.close !== "function")
    throw new Refusal(`${path} exports no \`realtime\` of throughline()`, undefined, wrongConfig)
  return realtime as Listening
}
