import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import { freePort } from "./free-port.ts"
import { waitForStart } from "./wait-for.ts"

/** Its program: what `THROUGHLINE_REDIS` says, else what is on the PATH; null when there is none. */
export function findRedis(): string | null {
  const chosen = process.env.THROUGHLINE_REDIS
  if (chosen) return existsSync(chosen) ? chosen : null
  const onPath = (process.env.PATH ?? "").split(delimiter)
  return onPath.map((folder) => join(folder, "redis-server")).find((program) => existsSync(program)) ?? null
}

function requireRedis(): string {
  const program = findRedis()
  if (program) return program
  throw new Error("unable to start Redis; it was not found (THROUGHLINE_REDIS)")
}

/** A real Redis of a test's own. Disposing stops it and removes everything. */
export interface TestRedis extends AsyncDisposable {
  /** As in `redis://127.0.0.1:6379`. */
  readonly url: string
  /** The port that it listens on, on 127.0.0.1. */
  readonly port: number
  /** Starts it again, on what it kept; resolves when it answers. */
  start(): Promise<void>
  /** Ends it without a goodbye. */
  kill(): Promise<void>
}

/** With `keeps: false` it forgets everything when it ends, as a cache does. */
export async function startRedis({ keeps = true }: { keeps?: boolean } = {}): Promise<TestRedis> {
  const program = requireRedis()
  const folder = mkdtempSync(join(tmpdir(), "throughline-redis-"))
  const port = await freePort()
  const url = `redis://127.0.0.1:${port}`
  let server: ChildProcess | null = null

  async function start(): Promise<void> {
    const keeping = keeps ? ["--appendonly", "yes", "--appendfsync", "always"] : ["--appendonly", "no"]
    const child = spawn(program, ["--port", String(port), "--dir", folder, "--save", "", ...keeping], {
      stdio: ["ignore", "pipe", "ignore"],
    })
    server = child
    let output = ""
    child.stdout.on("data", (chunk: Buffer) => {
      output = (output + chunk).slice(-4_000)
    })
    await waitForStart(child, answers, "Redis", { said: () => output }).catch(async (error) => {
      await kill()
      throw error
    })
  }

  async function answers(): Promise<string> {
    // Loaded here, so that whoever tests something else doesn't need it.
    const { createClient } = await import("redis")
    const client = createClient({ url, socket: { reconnectStrategy: false } }).on("error", () => {})
    try {
      await client.connect()
      return await client.ping()
    } finally {
      client.destroy()
    }
  }

  async function kill(): Promise<void> {
    if (!server || server.exitCode !== null || server.signalCode !== null) return
    server.kill("SIGKILL")
    await once(server, "exit")
  }

  await start()
  return {
    ...{ url, port, start, kill },
    async [Symbol.asyncDispose]() {
      await kill()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
