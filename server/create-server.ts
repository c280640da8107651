import type { IncomingMessage, Server, ServerResponse } from "node:http"
import type { Duplex } from "node:stream"
import { Server as SocketIoServer } from "socket.io"
import { isRealtimeError } from "throughline"
import { networkOf, type Realtime, type RealtimePublisher } from "throughline/server"
import {
  type AttachedGateway,
  connectRedisCluster,
  isAllowedOrigin,
  mountGateway,
} from "throughline/socketio/gateway"
import type { Logger } from "#lib/operations/logger.ts"
import { createOnce } from "#lib/operations/once.ts"
import { logErrors } from "#lib/operations/process-log.ts"
import { contextOf, requestIdOf, withRequest } from "#lib/operations/request-context.ts"
import { createReadAddress, defaultTrustedProxies } from "./client-address.ts"
import {
  createListener,
  endWithin,
  type HoldOptions,
  type Target,
  takeIn,
  usualMaxConnections,
  usualMaxConnectionsPerAddress,
} from "./intake.ts"
import { listen, type Stoppable } from "./listen.ts"
import { createPageOrigin } from "./page-origin.ts"
import { createTally } from "./tally.ts"

export interface ServerOptions extends HoldOptions {
  port: number
  hostname?: string | undefined
  /** Shared with the app's servers: signs tickets and opens the internal endpoint. */
  secret: string
  /** Origins other than the server's own whose pages may connect. */
  allowedOrigins?: readonly string[]
  socketPath?: string
  /** Redis, through which several gateways are one. */
  redisUrl?: string | undefined
  /** Who may say on whose behalf a request comes, as in `TRUSTED_PROXIES`. Default: this machine. */
  trustedProxies?: readonly string[]
  /** Where people open the app, as in `APP_ORIGIN`. */
  ownOrigins?: readonly string[]
  /** Makes the realtime layer around the gateway's publisher. */
  createRealtime(publisher: RealtimePublisher): HostedRealtime | Promise<HostedRealtime>
  /** What answers everything that isn't the gateway's; absent: the gateway stands alone. */
  app?: App
  /** Looks at what the gateway is doing whenever somebody reads the metrics. */
  watch?(gateway: AttachedGateway): void
  logger: Logger
  /** How long closing may take before what is left is cut. */
  closeTimeoutMs?: number
  /** Pages that are sent away at once when it closes, before the next ones are. Default 100. */
  farewells?: number
  /** Between those and the next. Default a tenth of a second. */
  pauseBetweenFarewells?(): Promise<unknown>
}

export interface HostedRealtime extends Realtime {
  /** Asked before a connection is let in from this address; rejects to turn it away. */
  admit?(address: string): Promise<void>
  /** What a gateway that stands alone answers besides; null: there is no such page. */
  answer?(path: string, authorization: string | null): Promise<Response> | Response | null
}

/** A web application mounted beside the gateway. Its requests wait until it is ready. */
export interface App {
  handle(request: IncomingMessage, response: ServerResponse): Promise<void> | void
  /** Says whether it has taken the socket. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean
  close(): Promise<void>
}

export interface RunningServer extends Stoppable {
  readonly port: number
  readonly http: Server
  readonly realtime: Realtime
}

/** The part of a connection of Engine.IO that is looked at here. */
interface EngineSocket {
  request: IncomingMessage
  once(event: "close", listener: () => void): void
}

/** A payload over the application's limit is answered; only a frame of this size costs the connection. */
const maxFrameBytes = 2 * 1024 * 1024

/** Starts the gateway on a port, with an app beside it or alone. Rejects when the port can't be had. */
export async function createServer(options: ServerOptions): Promise<RunningServer> {
  const {
    logger,
    secret,
    app,
    allowedOrigins = [],
    socketPath = "/socket.io",
    trustedProxies = defaultTrustedProxies,
    ownOrigins = [],
    closeTimeoutMs = 8_000,
    farewells,
    pauseBetweenFarewells,
  } = options
  const readAddress = createReadAddress(trustedProxies, logger)
  const pageOrigin = createPageOrigin({ trustedProxies, ownOrigins, logger })
  const onError = logErrors(logger)

  const sockets = createTally({
    max: options.maxConnections ?? usualMaxConnections,
    maxPerAddress: options.maxConnectionsPerAddress ?? usualMaxConnectionsPerAddress,
  })
  let closing: Promise<void> | undefined
  const isNews = createOnce()
  // Apart, since strangers' addresses can use up the other.
  const isNewFailure = createOnce()
  const http = createListener(options)
  const io = new SocketIoServer({
    path: socketPath,
    serveClient: false,
    maxHttpBufferSize: maxFrameBytes,
    destroyUpgrade: false,
    // A gateway by itself is on another origin than the app whose pages it serves.
    cors: { origin: [...allowedOrigins, ...ownOrigins] },
    // Engine.IO asks before each handshake, and for nothing that comes on a connection that there is.
    allowRequest(request, callback) {
      if (closing) return callback("the server is closing", false)
      if (!isAllowedOrigin(request, allowedOrigins)) {
        pageOrigin.refused(request)
        return callback("the page's origin is not listed", false)
      }
      const address = readAddress(request)
      const network = networkOf(address)
      const isFull = () => {
        const full = sockets.fullFor(network)
        if (!full) return false
        if (isNews(full === "address" ? network : full))
          logger.warn({ full, address }, "too many connections at once; more are refused")
        callback(`too many connections${full === "address" ? " from one address" : ""}`, false)
        return true
      }
      // What there is no room for doesn't count as one.
      if (isFull()) return
      Promise.resolve(realtime.admit?.(address)).then(
        () => isFull() || callback(null, true),
        (error: unknown) => {
          const isTooOften = isRealtimeError(error) && error.code === "rate-limited"
          if (isTooOften && isNews(`often ${network}`))
            logger.warn({ address }, "too many connections in a short time; more are refused (LIMITS)")
          if (!isTooOften && isNewFailure(error instanceof Error ? error.message : "unknown"))
            onError(error, { stage: "admit" })
          callback(isTooOften ? "too many connections from one address" : "unable to let anybody in", false)
        },
      )
    },
  })
  const bus = options.redisUrl ? await connectRedisCluster({ io, url: options.redisUrl, onError }) : undefined
  const gateway = mountGateway({
    ...{ io, secret, path: socketPath, bus, farewells, pauseBetweenFarewells, onError },
  })
  io.engine.on("connection", (socket: EngineSocket) => {
    // As it was read when it came in: by now the other side may be gone, and nobody knows where it was.
    const { address = "" } = contextOf(socket.request.headers)
    socket.once("close", sockets.hold(networkOf(address)))
  })
  const realtime = await options.createRealtime(gateway.publisher)
  const attached = gateway.start(realtime.core, {
    // What a page asks over its socket is a request like any other, from where the socket came from.
    answer: (work, { headers }) => withRequest({ ...contextOf(headers), id: requestIdOf() }, work),
  })
  options.watch?.(attached)

  const intake = takeIn(http, {
    ...{ ...options, readAddress, pageOrigin, trustedProxies },
    answer(request, response, target) {
      if (gateway.request(request, response)) return
      return app ? app.handle(request, response) : answerAlone(request, response, target)
    },
    upgrade: (request, socket, head) =>
      gateway.upgrade(request, socket, head) || (app?.upgrade(request, socket, head) ?? false),
  })

  async function answerAlone(
    request: IncomingMessage,
    response: ServerResponse,
    { pathname }: Target,
  ): Promise<void> {
    const found = await realtime.answer?.(pathname, request.headers.authorization ?? null)
    const answer = found ?? Response.json({ error: "not-found" }, { status: 404 })
    response.writeHead(answer.status, { ...Object.fromEntries(answer.headers), "Cache-Control": "no-store" })
    response.end(await answer.text())
  }

  const { url, port } = await listen(http, options.port, options.hostname)

  /** What is in flight is finished; then the clients are sent to reconnect, elsewhere or here when it is back. */
  async function close(): Promise<void> {
    const answered = intake.finish()
    const stopped = new Promise<void>((resolve) => http.close(() => resolve()))
    const cut = setTimeout(() => {
      logger.warn("closing took too long; what is left is cut")
      gateway.cut()
      intake.cut()
    }, closeTimeoutMs)
    const end = (part: string, ending: Promise<unknown> | undefined) =>
      endWithin(closeTimeoutMs, part, ending, logger)
    await end("the connections", gateway.sayFarewell())
    // Whoever asks until then is answered as ever.
    await end("the requests", answered)
    await end("the app", app?.close())
    await stopped
    clearTimeout(cut)
    await end("the gateway", gateway.close())
    await end("the realtime layer", realtime.close())
  }

  return {
    url,
    port,
    http,
    realtime,
    close: () => {
      closing ??= close()
      return closing
    },
  }
}
