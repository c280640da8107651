import { createServer, type IncomingMessage, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { setTimeout as delay } from "node:timers/promises"
import { type OnError, RealtimeError } from "../errors.ts"
import { createReporter } from "../guard.ts"
import { connectRedisCluster, isAllowedOrigin, mountGateway } from "../providers/socketio/gateway.ts"
import type { RealtimePublisher } from "../publisher.ts"
import type { Realtime } from "../server/types.ts"
import { findServer, type Search, shareServer, type Tenant } from "./http-server.ts"
import { peers } from "./peers.ts"

export interface HostOptions {
  /** Of the catch-all route: whichever server is asked for it is the app's. */
  basePath: string
  socketPath?: string | undefined
  secret: string
  redisUrl?: string | undefined
  /** Where browsers reach a gateway that has a port of its own. */
  url?: string | undefined
  /** Its own port; absent: the app's, where that can be. */
  port?: number | undefined
  allowedOrigins: readonly string[]
  /** Under development: all is on this machine, and a gateway on a port of its own is at localhost. */
  isLocal: boolean
  onError?: OnError
  /** How long to look for the app's server before the gateway takes a port of its own. Default 30 s. */
  searchMs?: number
  /** How long leaving may take before what is left is cut. Default 8 s. */
  closeTimeoutMs?: number
}

/** The bundled gateway in this process. */
export interface Hosting {
  readonly publisher: RealtimePublisher
  /** Once, when the realtime layer is there. */
  start(realtime: Realtime): void
  /**
   * Gets a server to stand on; called again, the same. Resolves when it has one, or when it
   * is clear that this takes longer.
   */
  host(): Promise<void>
  /** A port of its own, now: where a gateway runs alone. Resolves with the port. */
  listen(port: number, hostname?: string): Promise<number>
  close(): Promise<void>
}

/** A payload over the application's limit is answered; only a frame of this size costs the connection. */
const maxFrameBytes = 2 * 1024 * 1024
const knockPauseMs = 250

/** Makes the gateway, which reaches nobody yet. */
export async function hostGateway(options: HostOptions): Promise<Hosting> {
  const { basePath, socketPath = "/socket.io", secret, redisUrl, url, port, allowedOrigins } = options
  const { isLocal, searchMs = 30_000, closeTimeoutMs = 8_000 } = options
  const onError = createReporter(options.onError)
  const SocketIoServer = await peers.socketIo()
  let ownServer: Server | undefined
  let ownUrl = port === undefined ? undefined : url
  let search: Search | undefined
  let hosted: Promise<void> | undefined
  let leaving: Promise<void> | undefined
  const found = Promise.withResolvers<void>()
  let isFound = false
  let isClosed = false

  const isAllowed = (request: IncomingMessage) =>
    isAllowedOrigin(request, allowedOrigins) || (ownServer !== undefined && isSameHost(request))
  const io = new SocketIoServer({
    path: socketPath,
    serveClient: false,
    destroyUpgrade: false,
    maxHttpBufferSize: maxFrameBytes,
    cors: (request: IncomingMessage, callback: (error: null, options: object) => void) =>
      callback(null, { origin: isAllowed(request) && request.headers.origin }),
    allowRequest(request, callback) {
      if (isAllowed(request)) return callback(null, true)
      callback("the page's origin is not listed (SOCKET_CORS_ORIGIN)", false)
    },
  } as ConstructorParameters<typeof SocketIoServer>[0])
  const bus = redisUrl ? await connectRedisCluster({ io, url: redisUrl, onError }) : undefined
  const gateway = mountGateway({ io, secret, path: socketPath, bus, onError })

  const tenant: Tenant = {
    request: gateway.request,
    upgrade: gateway.upgrade,
    leave(server, cut) {
      leaving ??= leave(server, cut)
      return leaving
    },
  }

  /**
   * Within its time: whoever closes the server, as Next.js does on SIGTERM, waits for all of its connections.
   */
  async function leave(server: Server, cut: () => void): Promise<void> {
    search?.stop()
    const timer = setTimeout(() => {
      gateway.cut()
      cut()
    }, closeTimeoutMs)
    // Next.js leaves sockets open that came before the gateway did; they, which nobody reads, hold up no
    // process that has nothing else to do.
    timer.unref()
    server.once("close", () => clearTimeout(timer))
    await gateway.sayFarewell().catch((error: unknown) => onError(error, { stage: "send the pages away" }))
    server.closeIdleConnections()
  }

  /** Next.js says where it listens once it does. */
  const origin = () => process.env.__NEXT_PRIVATE_ORIGIN ?? `http://localhost:${process.env.PORT || 3000}`

  async function lookFor(): Promise<void> {
    search = findServer({
      ...{ tenant, origin },
      isOurs: (pathname) =>
        [basePath, socketPath].some((path) => pathname === path || pathname.startsWith(`${path}/`)),
      onFound() {
        isFound = true
        found.resolve()
      },
    })
    await search.knock()
    if (!isFound) void goOnLooking(search)
  }

  const isOver = () => isClosed || leaving !== undefined

  /** The server may not listen yet, as one of the app's own that waits for Next.js to be ready. */
  async function goOnLooking({ knock, stop }: Search): Promise<void> {
    const deadline = performance.now() + searchMs
    while (!isFound && !isOver() && performance.now() < deadline) {
      await Promise.race([delay(knockPauseMs, undefined, { ref: false }), found.promise])
      if (!isFound && !isOver()) await knock()
    }
    if (isFound || isOver()) return
    stop()
    try {
      const taken = await listen(0)
      console.warn(
        `[realtime] there is no HTTP server of the app in this process; the gateway listens on port ${taken}. SOCKET_PORT names another, SOCKET_URL where browsers reach it`,
      )
    } catch (error) {
      onError(error, { stage: "listen on a port of the gateway's own" })
    }
  }

  async function listen(wanted: number, hostname?: string): Promise<number> {
    const server = createServer((_request, response) => response.writeHead(404).end())
    shareServer(server, tenant)
    await new Promise<void>((resolve, reject) => {
      server.once("error", (cause: NodeJS.ErrnoException) => reject(unableToListen(wanted, cause)))
      server.listen(wanted, hostname, resolve)
    })
    ownServer = server
    const taken = (server.address() as AddressInfo).port
    ownUrl ??= url ?? (isLocal ? `http://localhost:${taken}` : undefined)
    isFound = true
    found.resolve()
    return taken
  }

  return {
    publisher: {
      ...gateway.publisher,
      clientConfig: () => ({ ...gateway.publisher.clientConfig(), ...(ownUrl && { url: ownUrl }) }),
    },
    start: ({ core }) => void gateway.start(core),
    host() {
      hosted ??= (port === undefined ? lookFor() : listen(port).then(() => {})).catch((error: unknown) => {
        // A port that is taken may be free by the next time.
        hosted = undefined
        throw error
      })
      return hosted
    },
    listen,
    async close() {
      isClosed = true
      // Whoever waits for the next knock looks no further.
      found.resolve()
      search?.stop()
      if (ownServer) {
        const closed = new Promise((resolve) => ownServer?.close(resolve))
        await leaving
        await closed
      } else await gateway.sayFarewell()
      search?.release()
      await gateway.close()
    },
  }
}

/** Of the same machine on another port. */
function isSameHost({ headers: { origin = "", host = "" } }: IncomingMessage): boolean {
  const page = URL.parse(origin)
  return page !== null && page.hostname === URL.parse(`${page.protocol}//${host}`)?.hostname
}

function unableToListen(port: number, cause: NodeJS.ErrnoException): RealtimeError {
  const why = cause.code === "EADDRINUSE" ? "it is in use" : (cause.code ?? cause.message)
  return new RealtimeError("invalid-config", {
    provider: "socketio",
    message: `unable to listen on port ${port}; ${why}. SOCKET_PORT names another`,
    cause,
  })
}
