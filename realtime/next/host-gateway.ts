import { once } from "node:events"
import { createServer, type IncomingMessage } from "node:http"
import type { AddressInfo } from "node:net"
import { setTimeout as delay } from "node:timers/promises"
import { type OnError, RealtimeError } from "../errors.ts"
import { createReporter } from "../guard.ts"
import {
  connectRedisCluster,
  isAllowedOrigin,
  type MountedGateway,
  mountGateway,
} from "../providers/socketio/gateway.ts"
import { internalPath } from "../providers/socketio/server.ts"
import type { RealtimePublisher } from "../publisher.ts"
import type { Realtime } from "../server/types.ts"
import { throwAny } from "../throw-any.ts"
import { withinLimit } from "../within-limit.ts"
import { findServer, type Search, shareServer, type Tenant } from "./http-server.ts"
import { createCleanup } from "./lifecycle.ts"
import { peers } from "./peers.ts"

export interface HostOptions {
  /** Of the catch-all route: whichever server is asked for it is the app's. */
  basePath: string
  socketPath?: string | undefined
  secret: string
  /** Other processes know the secret, and publish through this gateway. Default: they don't. */
  isShared?: boolean
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
   * is clear that this takes longer. Rejects with `invalid-config` where the app's server has another gateway
   * at one of its paths, or its own port can't be had, and with `not-connected` once it is being closed.
   */
  host(): Promise<void>
  /** A port of its own, now: where a gateway runs alone. Resolves with the port. */
  listen(port: number, hostname?: string): Promise<number>
  /**
   * Sends the pages away, then gives back the servers, all within 15 s, or 18 s where the first step takes
   * them all; but for the publisher, which its owner closes.
   */
  close(): Promise<void>
}

/** A payload over the application's limit is answered; only a frame of this size costs the connection. */
const maxFrameBytes = 2 * 1024 * 1024
const knockPauseMs = 250
/** Sending the pages away and whatever follows it, taken together. */
const endTimeoutMs = 15_000

/** Makes the gateway, which reaches nobody yet. */
export async function hostGateway(options: HostOptions): Promise<Hosting> {
  const { basePath, socketPath = "/socket.io", secret, redisUrl, url, port, allowedOrigins } = options
  const { isLocal, isShared = false, searchMs = 30_000, closeTimeoutMs = 8_000 } = options
  const onError = createReporter(options.onError)
  const SocketIoServer = await peers.socketIo()
  const cleanup = createCleanup()
  const isClosing = new AbortController()
  let hasOwnServer = false
  let ownUrl = port === undefined ? undefined : url
  let search: Search | undefined
  let isFound = false
  /** Why the app's server couldn't be had. */
  let refusal: { error: unknown } | undefined
  let hosted: Promise<void> | undefined
  let sentAway: Promise<void> | undefined
  let closing: Promise<void> | undefined
  /** What gets it a server to stand on, while it does. */
  const underWay = new Set<Promise<unknown>>()

  const isAllowed = (request: IncomingMessage) =>
    isAllowedOrigin(request, allowedOrigins) || (hasOwnServer && isSameHost(request))
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
  const gateway = await mount()
  cleanup.add("close the gateway", async () => {
    await sendAway()
    await gateway.close()
  })

  async function mount(): Promise<MountedGateway> {
    try {
      return mountGateway({ io, secret, path: socketPath, bus, onError })
    } catch (error) {
      await bus?.close()
      throw error
    }
  }

  const tenant: Tenant = {
    paths: isShared ? [socketPath, internalPath] : [socketPath],
    owner: basePath,
    request: gateway.request,
    upgrade: gateway.upgrade,
    /**
     * Within its time: whoever closes the server, as Next.js does on SIGTERM, waits for all of its
     * connections.
     */
    async leave(server, cut) {
      search?.stop()
      const timer = setTimeout(() => {
        gateway.cut()
        cut()
      }, closeTimeoutMs)
      // Next.js leaves sockets open that came before the gateway did; they, which nobody reads, hold up no
      // process that has nothing else to do.
      timer.unref()
      server.once("close", () => clearTimeout(timer))
      await sendAway()
      server.closeIdleConnections()
    },
  }

  /** Once, within its time. */
  function sendAway(): Promise<void> {
    sentAway ??= withinLimit(closeTimeoutMs, "send the pages away", () => gateway.sayFarewell()).catch(
      (error: unknown) => {
        onError(error, { stage: "send the pages away" })
        gateway.cut()
      },
    )
    return sentAway
  }

  function throwRefusal(): void {
    if (refusal) throw refusal.error
  }

  const isOver = () => isClosing.signal.aborted || sentAway !== undefined

  /** Next.js says where it listens once it does. */
  const origin = () => process.env.__NEXT_PRIVATE_ORIGIN ?? `http://localhost:${process.env.PORT || 3000}`

  async function lookFor(): Promise<void> {
    refusal = undefined
    const begun = findServer({
      ...{ tenant, origin },
      isOurs: (pathname) =>
        [basePath, socketPath].some((path) => pathname === path || pathname.startsWith(`${path}/`)),
      onFound() {
        isFound = true
      },
      onRefused(error) {
        begun.stop()
        // Nobody waits for a further server.
        if (isFound) onError(error, { stage: "share another server of the app" })
        else refusal = { error }
      },
    })
    search = begun
    await begun.knock()
    // Nothing of an attempt that failed is left: there may be one for each page.
    if (refusal) begun.release()
    throwRefusal()
    cleanup.add("give the app's server back", async () => {
      await sendAway()
      begun.release()
    })
    if (!isFound) track(goOnLooking(begun))
  }

  /** The server may not listen yet, as one of the app's own that waits for Next.js to be ready. */
  async function goOnLooking({ knock, stop }: Search): Promise<void> {
    const deadline = performance.now() + searchMs
    const isLooking = () => !isFound && !refusal && !isOver()
    while (isLooking() && performance.now() < deadline) {
      // Whoever closes it waits for no pause.
      await delay(knockPauseMs, undefined, { ref: false, signal: isClosing.signal }).catch(() => {})
      if (isLooking()) await knock()
    }
    try {
      throwRefusal()
      if (!isLooking()) return
      stop()
      const taken = await listen(0)
      console.warn(
        `[realtime] there is no HTTP server of the app in this process; the gateway listens on port ${taken}. SOCKET_PORT names another, SOCKET_URL where browsers reach it`,
      )
    } catch (error) {
      // Whoever asks next is told.
      hosted = undefined
      onError(error, { stage: "get the gateway a server to stand on" })
    }
  }

  async function listen(wanted: number, hostname?: string): Promise<number> {
    const server = createServer((_request, response) => response.writeHead(404).end())
    const giveBack = shareServer(server, tenant)
    await new Promise<void>((resolve, reject) => {
      server.once("error", (cause: NodeJS.ErrnoException) => reject(unableToListen(wanted, cause)))
      server.listen(wanted, hostname, resolve)
    })
    cleanup.add("close the gateway's own server", async () => {
      const closed = once(server, "close")
      // From here on it takes nobody in, and those who are there are sent away.
      server.close()
      await closed
      giveBack()
    })
    hasOwnServer = true
    const taken = (server.address() as AddressInfo).port
    ownUrl ??= url ?? (isLocal ? `http://localhost:${taken}` : undefined)
    isFound = true
    return taken
  }

  /** Whoever closes it waits for that, which is closed with the rest. */
  function track<Value>(work: Promise<Value>): Promise<Value> {
    const ended: Promise<unknown> = work.catch(() => {}).then(() => underWay.delete(ended))
    underWay.add(ended)
    return work
  }

  function requireOpen(): void {
    if (!closing) return
    throw new RealtimeError("not-connected", {
      provider: "socketio",
      message: "unable to get the gateway a server to stand on; it is being closed",
    })
  }

  async function end(): Promise<void> {
    isClosing.abort()
    search?.stop()
    cleanup.add("wait for a server to stand on", async () => {
      while (underWay.size > 0) await Promise.all(underWay)
    })
    throwAny(await cleanup.run(endTimeoutMs))
  }

  return {
    publisher: {
      ...gateway.publisher,
      clientConfig: () => ({ ...gateway.publisher.clientConfig(), ...(ownUrl && { url: ownUrl }) }),
    },
    start: ({ core }) => void gateway.start(core),
    async host() {
      requireOpen()
      hosted ??= track(port === undefined ? lookFor() : listen(port).then(() => {})).catch(
        (error: unknown) => {
          // A port that is taken, or a path, may be free by the next time.
          hosted = undefined
          throw error
        },
      )
      return hosted
    },
    async listen(wanted, hostname) {
      requireOpen()
      return track(listen(wanted, hostname))
    },
    close() {
      closing ??= end()
      return closing
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
