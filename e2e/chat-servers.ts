import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import type { AddressInfo } from "node:net"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { variables } from "../lib/env/schema.ts"
import { startS3Server } from "../lib/files/testing/s3-server.ts"
import { startPostgres } from "../realtime/testing/postgres.ts"
import { waitForStart } from "../realtime/testing/wait-for.ts"
import { projectDir } from "../scripts/run.ts"
import { startEmulator } from "../server/emulator.ts"
import { type Collector, startCollector } from "../server/testing/collector.ts"
import { type Platform, startPlatform } from "./serverless/platform.ts"

/**
 * How the chat is deployed: the bundled gateway in the same process or its own, a service (its emulator), or a service and
 * the functions of `vercel build`; or Pusher, and Ably when that fails; or the gateway and a service for whoever can't reach it. `no-bucket`: what functions are told, without a place for files.
 * `traced`: one process that brings its spans to a collector.
 */
export type Layout =
  | "one-port"
  | "no-bucket"
  | "traced"
  | "split"
  | "pusher"
  | "ably"
  | "failover"
  | "socketio-pusher"
  | "socketio-ably"
  | "serverless-pusher"
  | "serverless-ably"

/** The shipped servers on ports and a data folder of their own. */
export interface ChatServers extends AsyncDisposable {
  readonly url: string
  /** With `failover`: the preferred service is gone until it is ended. */
  startOutage?(): () => void
  /** With `traced`: what came of messages. */
  readonly collector?: Collector
  /** Where functions run it. */
  readonly platform?: Platform
  /** With the bundled servers: where the log's files are. */
  readonly dataDir?: string
  /** With functions: their PostgreSQL. */
  readonly databaseUrl?: string
  /** With the bundled servers: where server code reaches the gateway. */
  readonly gatewayUrl?: string
  /** Whether pages lose their connection when it stops: a service's goes on. */
  readonly holdsSockets: boolean
  /** Ends what holds the sockets; `SIGKILL` as a crash would, `SIGTERM` as a deployment does. */
  stop(signal: "SIGKILL" | "SIGTERM"): Promise<void>
  /** Starts it again where it was, on the same data; resolves when it is well. */
  start(): Promise<void>
}

interface Program {
  file: string
  port: number
  env?: Record<string, string>
}

/** A port that was free a moment ago: a server that comes back must come back where it was, so it is told its port. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0)
  await once(server, "listening")
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, "close")
  return port
}

/** Starts the production build in one of the layouts that people deploy. */
export async function startChat(layout: Layout): Promise<ChatServers> {
  const port = await freePort()
  const app = { file: "server/main.ts", port }
  if (layout === "one-port") return startServers([app])
  const [, service] = /^serverless-(.+)$/.exec(layout) ?? []
  if (service) return startServerless(service, port)
  if (layout === "failover") return startFailover(app)
  if (layout === "traced") return startTraced(app)
  if (layout.startsWith("socketio-")) return startList(app, layout.split("-"))
  if (layout !== "split") {
    const isFunction = layout === "no-bucket"
    const emulator = await startEmulator(isFunction ? "pusher" : layout, `http://127.0.0.1:${port}`)
    const env = {
      ...emulator.env,
      ...(isFunction && { AWS_LAMBDA_FUNCTION_NAME: "chat", REALTIME_LIVE_ONLY: "true" }),
    }
    const servers = await startServers([app], { env })
    return {
      ...servers,
      holdsSockets: false,
      async [Symbol.asyncDispose]() {
        await servers[Symbol.asyncDispose]()
        await emulator[Symbol.asyncDispose]()
      },
    }
  }

  const gatewayPort = await freePort()
  const url = (of: number) => `http://localhost:${of}`
  const env = { SOCKET_URL: url(gatewayPort), SOCKET_CORS_ORIGIN: url(port) }
  return startServers([
    { ...app, env },
    { file: "server/gateway.ts", port: gatewayPort, env },
  ])
}

/** Two services, the second of which is used when the first one fails. */
async function startFailover(app: { file: string; port: number }): Promise<ChatServers> {
  await using started = new AsyncDisposableStack()
  const url = `http://127.0.0.1:${app.port}`
  const preferred = started.use(await startEmulator("pusher", url))
  const spare = started.use(await startEmulator("ably", url))
  const env = { ...preferred.env, ...spare.env, REALTIME_PROVIDER: "pusher,ably" }
  const servers = started.use(await startServers([app], { env }))
  const stack = started.move()
  return {
    ...servers,
    holdsSockets: false,
    startOutage: preferred.startOutage,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

/** The gateway in the app's process, and a service beside it. */
async function startList(
  app: { file: string; port: number },
  providers: readonly string[],
): Promise<ChatServers> {
  await using started = new AsyncDisposableStack()
  const services = providers.filter((provider) => provider !== "socketio")
  const env: Record<string, string> = {}
  for (const service of services)
    Object.assign(env, started.use(await startEmulator(service, `http://127.0.0.1:${app.port}`)).env)
  const REALTIME_PROVIDER = providers.join(",")
  const servers = started.use(await startServers([app], { env: { ...env, REALTIME_PROVIDER } }))
  const stack = started.move()
  return { ...servers, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

async function startTraced(app: { file: string; port: number }): Promise<ChatServers> {
  await using started = new AsyncDisposableStack()
  const collector = started.use(await startCollector())
  const servers = started.use(
    await startServers([app], { env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url } }),
  )
  const stack = started.move()
  return { ...servers, collector, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

/** The emitted functions, on a service's emulator, a real PostgreSQL and a bucket for files. */
async function startServerless(service: string, port: number): Promise<ChatServers> {
  await using started = new AsyncDisposableStack()
  const postgres = started.use(await startPostgres())
  const emulator = started.use(await startEmulator(service, `http://127.0.0.1:${port}`))
  const bucket = started.use(await startS3Server({ allowedOrigin: `http://localhost:${port}` }))
  const env = {
    ...emulator.env,
    ...bucket.env,
    DATABASE_URL: postgres.connectionString,
    SESSION_SECRET: "a secret of the browser tests, long enough",
  }
  const platform = started.use(await startPlatform({ projectDir, port, env }))
  const stack = started.move()
  const unable = () => Promise.reject(new Error("functions come and go by themselves"))
  return {
    url: platform.url,
    platform,
    databaseUrl: postgres.connectionString,
    holdsSockets: false,
    stop: unable,
    start: unable,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

/** `npm run dev` of the project in a folder. */
export async function startDevelopment(folder: string): Promise<ChatServers> {
  const program = { file: "server/dev.ts", port: await freePort() }
  return startServers([program], { folder, env: { NODE_ENV: "development" } })
}

/**
 * The programs of the production build, or of the project in a folder. The app's server comes first. All share one data folder and the same
 * secrets.
 */
export async function startServers(
  programs: readonly [Program, ...Program[]],
  options: { folder?: string; env?: Record<string, string> } = {},
): Promise<ChatServers> {
  const folder = options.folder ?? projectDir
  const dataDir = mkdtempSync(join(tmpdir(), "throughline-e2e-"))
  const running = new Map<Program, { child: ChildProcess; output(): string }>()
  // Whatever this shell is set up for, the servers under test are not.
  const inherited = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !Object.hasOwn(variables, name)),
  )

  async function launch(program: Program): Promise<void> {
    const child = spawn(process.execPath, ["--import", "./server/check-node.js", program.file], {
      cwd: folder,
      env: {
        ...inherited,
        NODE_ENV: "production",
        REALTIME_PROVIDER: "socketio",
        NEXT_TELEMETRY_DISABLED: "1",
        DATA_DIR: dataDir,
        SESSION_SECRET: "a secret of the browser tests, long enough",
        SOCKET_INTERNAL_SECRET: "another secret of the browser tests",
        PORT: String(program.port),
        ...options.env,
        ...program.env,
      },
      stdio: ["ignore", "pipe", "pipe"],
    })
    let output = ""
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk: Buffer) => {
        output = (output + chunk).slice(-20_000)
      })
    }
    running.set(program, { child, output: () => output })
    await isWell(program, child, () => output)
  }

  async function end(program: Program, signal: NodeJS.Signals): Promise<void> {
    const child = running.get(program)?.child
    running.delete(program)
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, "exit")
    child.kill(signal)
    await exited
  }

  const killAll = () => {
    for (const { child } of running.values()) child.kill("SIGKILL")
  }
  process.once("exit", killAll)
  await Promise.all(programs.map(launch))

  /** What holds the sockets is the last: the gateway, or the one process that is both. */
  const gateway = programs.at(-1) ?? programs[0]
  return {
    url: `http://localhost:${programs[0].port}`,
    dataDir,
    gatewayUrl: `http://localhost:${(programs.at(-1) ?? programs[0]).port}`,
    holdsSockets: true,
    stop: (signal) => end(gateway, signal),
    start: () => launch(gateway),
    async [Symbol.asyncDispose]() {
      await Promise.all(programs.map((program) => end(program, "SIGKILL")))
      process.off("exit", killAll)
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

/**
 * Less than the time-out of the fixture that starts servers (fixtures.ts), so that one which hangs fails here, where what it printed is
 * told. It is no measure of speed: on a slow machine, too, a server is well long before.
 */
const startLimitMs = 150_000

/** Asks until the server answers that it is well; one that ends instead says why. */
async function isWell({ file, port }: Program, child: ChildProcess, said: () => string): Promise<void> {
  const answers = async () => (await fetch(`http://localhost:${port}/api/health`)).ok
  await waitForStart(child, answers, `${file} to be well`, { said, limitMs: startLimitMs })
}
