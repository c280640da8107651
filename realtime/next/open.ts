import { randomBytes } from "node:crypto"
import { join } from "node:path"
import type { ChannelDefinitions } from "../channel.ts"
import { RealtimeError } from "../errors.ts"
import { isDevelopment } from "../is-development.ts"
import type { MessageLog } from "../log/message-log.ts"
import type { RealtimePublisher } from "../publisher.ts"
import { createRealtime } from "../server/create-realtime.ts"
import type { Realtime } from "../server/types.ts"
import { throwAny } from "../throw-any.ts"
import { emulate } from "./emulate.ts"
import { type Environment, examineEnvironment, type ProviderName, readEnvironment } from "./environment.ts"
import { isGuests } from "./guests.ts"
import type { Hosting } from "./host-gateway.ts"
import { type Cleanup, createCleanup } from "./lifecycle.ts"
import type { ThroughlineOptions } from "./options.ts"
import { peers } from "./peers.ts"
import { secretOf } from "./secrets.ts"

/** What runs in this process. */
export interface Opened {
  realtime: Realtime
  /**
   * Whether the variables say what they said when this was opened. Always in production: only `next dev`
   * reads the `.env` files again, while it runs.
   */
  isCurrent(): boolean
  /**
   * In a process that serves pages: the gateway gets a server to stand on, and guests a secret to be known
   * by. Called again, the same.
   */
  serve(identify: unknown): Promise<void>
  /** Whether `serve` was called. */
  readonly isServing: boolean
  /** The gateway alone, as `Throughline.listen` says. */
  listen(port: number, hostname?: string): Promise<number>
}

const usualPort = "3000"

/**
 * Reads the environment, then opens the chosen publishers and one log, which comes last: whatever can be
 * wrong with the others is known by then. Only what is chosen is loaded.
 */
export async function open<Definitions extends ChannelDefinitions>(
  options: ThroughlineOptions<Definitions> & { basePath: string },
  cleanup: Cleanup,
): Promise<Opened> {
  const { log: given, basePath, socketPath, waitUntil, ...declared } = options
  const hasLog = given !== undefined
  const read = readEnvironment(process.env, { hasLog })
  const variables = isDevelopment() ? describeVariables(hasLog) : undefined
  const isEmulating = isDevelopment() && read.emulated.length > 0
  // The route refuses webhooks without these, so none are sent: each would be a line of Next.js' log.
  const webhookUrl = (provider: ProviderName) =>
    options.presenceCounts &&
    `http://localhost:${process.env.PORT ?? usualPort}${basePath}/webhooks/${provider}`
  const emulators = isEmulating ? await emulate(read, webhookUrl) : null
  if (emulators) cleanup.add("close the emulators", () => emulators.close())
  const environment = emulators?.environment ?? read

  /** What the realtime layer closes itself, once it is there. */
  const parts = createCleanup()
  let realtime: Realtime | undefined
  cleanup.addBounded(async () => (realtime ? realtime.close() : throwAny(await parts.run())))
  const publishers: RealtimePublisher[] = []
  let hosting: Hosting | null = null
  for (const provider of environment.providers) {
    if (provider === "socketio" && hasGateway(environment)) continue
    const publisher = await openPublisher(provider, environment)
    publishers.push(publisher)
    parts.add(`close the publisher of ${provider}`, () => publisher.close())
  }
  if (hasGateway(environment)) {
    const opened = await openGateway(environment, options)
    hosting = opened
    publishers.splice(environment.providers.indexOf("socketio"), 0, opened.publisher)
    parts.add("close the publisher of socketio", () => opened.publisher.close())
    cleanup.addBounded(() => opened.close())
  }
  const log = typeof given === "function" ? await given() : (given ?? (await openLog(environment)))
  if (typeof given !== "object") parts.add("close the log", () => log.close())
  realtime = createRealtime({
    ...declared,
    ...{ log, publishers, basePath },
    waitUntil: waitUntil ?? (environment.isServerless ? waitOfPlatform : undefined),
  }) as unknown as Realtime
  hosting?.start(realtime)
  let hasSecret = false
  let isServing = false
  return {
    realtime,
    get isServing() {
      return isServing
    },
    isCurrent: () => variables === undefined || variables === describeVariables(hasLog),
    async serve(identify) {
      // `next build` evaluates pages, serves nobody and needs no secrets.
      if (environment.isBuilding) return
      isServing = true
      // Said when the server starts, not to the first guest.
      if (isGuests(identify) && !hasSecret) {
        secretOf(environment)
        hasSecret = true
      }
      await hosting?.host()
    },
    async listen(port, hostname) {
      if (!hosting) throw noGateway()
      // What it would make of its own nobody else could know.
      if (!environment.socketio.internalSecret) throw noInternalSecret()
      return hosting.listen(port, hostname)
    },
  }
}

/** What is read of them, and what is wrong with them: equal for whatever makes no difference. */
function describeVariables(hasLog: boolean): string {
  const { environment, problems } = examineEnvironment(process.env, { hasLog })
  return JSON.stringify([environment, ...problems])
}

const noGateway = () =>
  new RealtimeError("invalid-config", {
    provider: "socketio",
    message:
      "unable to run a gateway here; REALTIME_PROVIDER has to name socketio, and SOCKET_URL says that it is elsewhere unless SOCKET_PORT is set, too",
  })

const noInternalSecret = () =>
  new RealtimeError("invalid-config", {
    provider: "socketio",
    message:
      "unable to run a gateway alone; SOCKET_INTERNAL_SECRET is missing, which the app's processes share with it. `openssl rand -hex 32` makes one.",
  })

async function openLog({ databaseUrl, dataDir }: Environment): Promise<MessageLog> {
  if (databaseUrl) {
    const [pg, { createLog }] = await Promise.all([peers.pg(), import("../log/postgres-log.ts")])
    return createLog(pg, { connectionString: databaseUrl })
  }
  const [{ createSqliteLog }, { makeDataDir }] = await Promise.all([
    import("../log/sqlite.ts"),
    import("./data-dir.ts"),
  ])
  makeDataDir(dataDir)
  return createSqliteLog({ path: join(dataDir, "realtime.db") })
}

/** Whether this process has the bundled gateway; not where another has it. */
const hasGateway = ({ providers, socketio }: Environment) =>
  providers.includes("socketio") && (socketio.url === undefined || socketio.port !== undefined)

async function openGateway(
  environment: Environment,
  {
    basePath,
    socketPath,
    onError,
  }: { basePath: string } & Pick<ThroughlineOptions<never>, "socketPath" | "onError">,
): Promise<Hosting> {
  const { socketio } = environment
  // While it is built nobody is to be reached: other gateways find what was published in the log.
  const redisUrl = environment.isBuilding ? undefined : environment.redisUrl
  const { hostGateway } = await import("./host-gateway.ts")
  return hostGateway({
    ...{ basePath, socketPath, redisUrl, ...socketio },
    // In one process nobody else needs to know it.
    secret:
      socketio.internalSecret ??
      (redisUrl ? `internal:${secretOf(environment)}` : randomBytes(32).toString("hex")),
    isShared: socketio.internalSecret !== undefined,
    isLocal: !environment.isProduction,
    ...(onError && { onError }),
  })
}

async function openPublisher(
  provider: ProviderName,
  { pusher, ably, socketio }: Environment,
): Promise<RealtimePublisher> {
  switch (provider) {
    case "socketio": {
      const { createSocketIoPublisher } = await import("../providers/socketio/server.ts")
      const { url = "", internalUrl = url, internalSecret = "" } = socketio
      return createSocketIoPublisher({ internalUrl, publicUrl: url, secret: internalSecret })
    }
    case "pusher": {
      const [sdk, { createPublisher }] = await Promise.all([
        peers.pusher(),
        import("../providers/pusher/publisher.ts"),
      ])
      return createPublisher(sdk, pusher)
    }
    case "ably": {
      const [sdk, { createPublisher }] = await Promise.all([
        peers.ably(),
        import("../providers/ably/publisher.ts"),
      ])
      return createPublisher(sdk, ably)
    }
  }
}

/**
 * What Next.js asks of a platform whose functions stand still once they have answered:
 * https://nextjs.org/docs/app/api-reference/functions/after
 */
const platform = Symbol.for("@next/request-context")

function waitOfPlatform(work: Promise<unknown>): void {
  const { [platform]: context } = globalThis as {
    [platform]?: { get(): { waitUntil?: (work: Promise<unknown>) => void } | undefined }
  }
  const waitUntil = context?.get()?.waitUntil
  if (!waitUntil)
    throw new RealtimeError("invalid-config", {
      message:
        "unable to go on after an answer; this platform offers no `waitUntil`. Hand `after` of next/server to throughline({ waitUntil }).",
    })
  waitUntil(work)
}
