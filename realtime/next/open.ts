import { randomBytes } from "node:crypto"
import { join } from "node:path"
import type { ChannelDefinitions } from "../channel.ts"
import { RealtimeError } from "../errors.ts"
import type { MessageLog } from "../log/message-log.ts"
import type { RealtimePublisher } from "../publisher.ts"
import { createRealtime } from "../server/create-realtime.ts"
import type { Realtime } from "../server/types.ts"
import { emulate } from "./emulate.ts"
import { type Environment, type ProviderName, readEnvironment } from "./environment.ts"
import type { Hosting } from "./host-gateway.ts"
import type { ThroughlineOptions } from "./options.ts"
import { peers } from "./peers.ts"
import { secretOf } from "./secrets.ts"

/** What runs in this process. */
export interface Opened {
  realtime: Realtime
  /** Of the bundled gateway, where this process has it. */
  hosting: Hosting | null
  close(): Promise<void>
}

const usualPort = "3000"

/** Reads the environment, then opens one log and the chosen publishers. Only what is chosen is loaded. */
export async function open<Definitions extends ChannelDefinitions>(
  options: ThroughlineOptions<Definitions> & { basePath: string },
): Promise<Opened> {
  const read = readEnvironment(process.env)
  const { log: given, basePath, socketPath, waitUntil, ...declared } = options
  const isEmulating = process.env.NODE_ENV === "development" && read.emulated.length > 0
  const webhookUrl = (provider: ProviderName) =>
    `http://localhost:${process.env.PORT ?? usualPort}${basePath}/webhooks/${provider}`
  const emulators = isEmulating ? await emulate(read, webhookUrl) : null
  const environment = emulators?.environment ?? read
  const log = given ? await (typeof given === "function" ? given() : given) : await openLog(environment)
  const hosting = await openGateway(environment, options)
  const publishers = await Promise.all(
    environment.providers.map((provider) =>
      provider === "socketio" && hosting ? hosting.publisher : openPublisher(provider, environment),
    ),
  )
  const realtime = createRealtime({
    ...declared,
    ...{ log, publishers, basePath },
    waitUntil: waitUntil ?? (environment.isServerless ? waitOfPlatform : undefined),
  })
  hosting?.start(realtime)
  return {
    ...{ realtime, hosting },
    async close() {
      await hosting?.close()
      await realtime.close()
      await emulators?.close()
    },
  }
}

async function openLog({ databaseUrl, dataDir }: Environment): Promise<MessageLog> {
  if (databaseUrl) {
    const [pg, { createLog }] = await Promise.all([peers.pg(), import("../log/postgres-log.ts")])
    return createLog(pg, { connectionString: databaseUrl })
  }
  const { createSqliteLog } = await import("../log/sqlite.ts")
  return createSqliteLog({ path: join(dataDir, "realtime.db") })
}

/** Null where another process has it. */
async function openGateway(
  environment: Environment,
  {
    basePath,
    socketPath,
    onError,
  }: { basePath: string } & Pick<ThroughlineOptions<never>, "socketPath" | "onError">,
): Promise<Hosting | null> {
  const { providers, socketio, redisUrl } = environment
  const isHere = socketio.url === undefined || socketio.port !== undefined
  if (!providers.includes("socketio") || !isHere) return null
  const { hostGateway } = await import("./host-gateway.ts")
  return hostGateway({
    ...{ basePath, socketPath, redisUrl, ...socketio },
    // In one process nobody else needs to know it.
    secret:
      socketio.internalSecret ??
      (redisUrl ? `internal:${secretOf(environment)}` : randomBytes(32).toString("hex")),
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
