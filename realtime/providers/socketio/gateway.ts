import { Server as HttpServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { Duplex } from "node:stream"
import { setTimeout } from "node:timers/promises"
import type { Server as SocketIoServer } from "socket.io"
import type { OnError } from "../../errors.ts"
import type { RealtimePublisher } from "../../publisher.ts"
import type { RealtimeCore } from "../../server/types.ts"
import { type AttachedGateway, attachGateway, type GatewayOptions } from "./attach-gateway.ts"
import { createBroadcaster } from "./broadcaster.ts"
import type { ClusterBus } from "./cluster.ts"
import { createInternalEndpoint } from "./internal-endpoint.ts"
import { defaultSocketPath } from "./mapping.ts"

export { isAllowedOrigin } from "./allowed-origin.ts"
export type { AttachedGateway, GatewayStats } from "./attach-gateway.ts"
export { attachGateway } from "./attach-gateway.ts"
export type { Broadcaster } from "./broadcaster.ts"
export { createBroadcaster } from "./broadcaster.ts"
export type { ClusterBus } from "./cluster.ts"
export { connectRedisCluster } from "./connect-redis.ts"
export { createInternalEndpoint } from "./internal-endpoint.ts"
export type { RedisClusterOptions } from "./redis.ts"

/** What `mountGateway` takes. */
export interface MountOptions {
  /** Made with `serveClient: false` and `destroyUpgrade: false`, and attached to no server. */
  io: SocketIoServer
  /**
   * Shared with the app's other processes: signs tickets, and opens the internal
   * endpoint. At least one character.
   */
  secret: string
  /** Where browsers reach it, as in `/socket.io`, which is the default. The same as that of `io`. */
  path?: string | undefined
  /** Where browsers reach it, as in `https://gateway.example`. Default: on the page's own origin. */
  publicUrl?: string | undefined
  /** The way to the other gateways, where there are several. */
  bus?: ClusterBus | undefined
  /** Pages that are sent away at once when it closes, before the next ones are. Default 100. */
  farewells?: number | undefined
  /** Between those and the next. Default a tenth of a second. */
  pauseBetweenFarewells?: (() => Promise<unknown>) | undefined
  /** Where failures go that no caller waits for. Default: `console.error`. */
  onError?: OnError
}

/** A gateway on somebody else's server of HTTP: it listens nowhere itself, and is handed what comes. */
export interface MountedGateway {
  /** For `createRealtime`. */
  readonly publisher: RealtimePublisher
  /** Lets browsers in, once, when the realtime layer is there. */
  start(core: RealtimeCore, options?: Pick<GatewayOptions, "answer">): AttachedGateway
  /**
   * Answers a request of its own, a poll or one of the app's servers, and returns
   * true; anything else is left alone.
   */
  request(request: IncomingMessage, response: ServerResponse): boolean
  /** Takes a socket of its own and returns true; anything else is left alone. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean
  /**
   * What was accepted is acknowledged; then the pages are sent to reconnect, elsewhere or here
   * when it is back, some at a time.
   */
  sayFarewell(): Promise<void>
  /** Ends every connection at once. */
  cut(): void
  /** Ends every connection, and lets go of the other gateways. It starts no more. */
  close(): Promise<void>
}

/** However many pages there are, they are sent away in so many goes: four seconds, by default. */
const maxFarewellGoes = 40

/**
 * Server: the bundled gateway beside whatever else a server of HTTP answers. Its owner asks `request` and
 * `upgrade` first. Socket.IO itself would answer its own path, but leave every other upgrade to whoever else
 * listens, and frameworks end the sockets that aren't theirs.
 *
 * ```ts
 * const gateway = mountGateway({
 *   io: new Server({ serveClient: false, destroyUpgrade: false }), // of socket.io, attached to nothing
 *   secret: "shared with the app's other processes",
 * })
 * // `publishers: [gateway.publisher]` of `createRealtime`, and then:
 * gateway.start(realtime.core)
 * http.on("request", (request, response) => gateway.request(request, response) || others(request, response))
 * http.on("upgrade", (request, socket, head) => gateway.upgrade(request, socket, head) || socket.destroy())
 * ```
 */
export function mountGateway(options: MountOptions): MountedGateway {
  const { io, secret, path = defaultSocketPath, publicUrl, bus, onError, farewells = 100 } = options
  const { pauseBetweenFarewells = () => setTimeout(100) } = options
  // Socket.IO makes its engine when it is attached. This one never listens.
  io.attach(new HttpServer())
  const broadcaster = createBroadcaster({ io, secret, bus })
  const answerInternally = createInternalEndpoint({
    publisher: broadcaster.publisher,
    secret,
    ...(onError && { onError }),
  })
  const address = { ...(publicUrl && { url: publicUrl }), ...(path !== defaultSocketPath && { path }) }
  const publisher = Object.keys(address).length
    ? {
        ...broadcaster.publisher,
        clientConfig: () => ({ ...broadcaster.publisher.clientConfig(), ...address }),
      }
    : broadcaster.publisher
  let core: RealtimeCore | undefined
  let attached: AttachedGateway | undefined

  function isOwn({ url = "" }: IncomingMessage): boolean {
    const pathname = url.split("?", 1)[0] ?? ""
    return pathname === path || pathname.startsWith(`${path}/`)
  }
  type EngineRequest = Parameters<typeof io.engine.handleRequest>[0]

  return {
    publisher,
    start(given, { answer } = {}) {
      core = given
      attached = attachGateway({ broadcaster, core, ...(answer && { answer }), ...(onError && { onError }) })
      return attached
    },
    request(request, response) {
      if (!isOwn(request)) return answerInternally(request, response)
      io.engine.handleRequest(request as EngineRequest, response)
      return true
    },
    upgrade(request, socket, head) {
      if (!isOwn(request)) return false
      io.engine.handleUpgrade(request as EngineRequest, socket, head)
      return true
    },
    async sayFarewell() {
      const sockets = [...io.sockets.sockets.values()]
      const each = Math.max(farewells, Math.ceil(sockets.length / maxFarewellGoes))
      for (let start = 0; start < sockets.length; start += each) {
        if (start > 0) await pauseBetweenFarewells()
        // What was accepted is committed and acknowledged first.
        await core?.idle()
        // The transports are closed from this side, without a goodbye of Socket.IO's own, after
        // which its clients would stay away.
        for (const socket of sockets.slice(start, start + each)) socket.conn.close()
      }
      // Whoever was in the middle of coming in, some without a word yet.
      io.engine.close()
    },
    cut: () => void io.disconnectSockets(true),
    async close() {
      attached?.stop()
      await io.close()
    },
  }
}
