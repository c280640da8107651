import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http"
import type { Duplex } from "node:stream"
import { Server as SocketIoServer } from "socket.io"
import {
  attachGateway,
  createBroadcaster,
  createInternalEndpoint,
  isAllowedOrigin,
} from "#realtime/providers/socketio/gateway"
import type { Realtime, RealtimePublisher } from "#realtime/server"
import { listen, type Stoppable } from "./listen.ts"
import type { Logger } from "./logger.ts"

export interface ServerOptions {
  port: number
  hostname?: string | undefined
  /** Shared with the app's servers: signs tickets and opens the internal endpoint. */
  secret: string
  /** Origins other than the server's own whose pages may connect. */
  allowedOrigins?: readonly string[]
  socketPath?: string
  /** Makes the realtime layer around the gateway's publisher. */
  createRealtime(publisher: RealtimePublisher): Realtime | Promise<Realtime>
  /** What answers everything that isn't the gateway's; absent: the gateway stands alone. */
  app?: App
  logger: Logger
  /** How long closing may take before what is left is cut. */
  closeTimeoutMs?: number
}

/** A web application mounted beside the gateway. Its requests wait until it is ready. */
export interface App {
  handle(request: IncomingMessage, response: ServerResponse): Promise<void> | void
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
  close(): Promise<void>
}

export interface RunningServer extends Stoppable {
  readonly port: number
  readonly http: Server
  readonly realtime: Realtime
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
    closeTimeoutMs = 8_000,
  } = options
  const onError = (error: unknown, { stage }: { stage: string }) =>
    logger.error({ err: error, stage }, "realtime")

  const http = createHttpServer()
  const io = new SocketIoServer({
    path: socketPath,
    serveClient: false,
    maxHttpBufferSize: maxFrameBytes,
    destroyUpgrade: false,
    cors: { origin: [...allowedOrigins] },
    allowRequest: (request, callback) => callback(null, isAllowedOrigin(request, allowedOrigins)),
  })
  io.attach(http)
  // One owner of requests and upgrades: Socket.IO would answer only its own path but leave every other upgrade to
  // whoever else listens, and Next would end those of Socket.IO. So both are called from here.
  http.removeAllListeners("request")
  http.removeAllListeners("upgrade")

  const broadcaster = createBroadcaster({ io, secret })
  const realtime = await options.createRealtime(broadcaster.publisher)
  attachGateway({ broadcaster, core: realtime.core, onError })
  const answerInternally = createInternalEndpoint({ publisher: broadcaster.publisher, secret, onError })
  let isClosing = false

  const isSocket = (request: IncomingMessage) => request.url?.startsWith(socketPath) ?? false

  http.on("request", (request, response) => {
    if (isSocket(request)) {
      io.engine.handleRequest(request as Parameters<typeof io.engine.handleRequest>[0], response)
    } else if (answerInternally(request, response)) {
      // Answered.
    } else if (app) {
      Promise.resolve(app.handle(request, response)).catch((error: unknown) => {
        logger.error({ err: error, url: request.url }, "the app failed to answer")
        if (!response.headersSent) response.writeHead(500)
        response.end()
      })
    } else {
      answerAlone(request, response, isClosing)
    }
  })

  http.on("upgrade", (request, socket, head) => {
    // A client that goes away in the middle of a handshake must not take the process with it.
    socket.on("error", (error) => logger.debug({ err: error }, "a socket failed while upgrading"))
    if (isSocket(request)) {
      io.engine.handleUpgrade(request as Parameters<typeof io.engine.handleUpgrade>[0], socket, head)
    } else if (app) {
      app.upgrade(request, socket, head)
    } else {
      socket.end("HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n")
    }
  })

  const { url, port } = await listen(http, options.port, options.hostname)
  let closing: Promise<void> | undefined

  /** What is in flight is finished; then the clients are sent to reconnect, elsewhere or here when it is back. */
  async function close(): Promise<void> {
    isClosing = true
    const stopped = new Promise<void>((resolve) => http.close(() => resolve()))
    const cut = setTimeout(() => {
      logger.warn("closing took too long; what is left is cut")
      io.disconnectSockets(true)
      http.closeAllConnections()
    }, closeTimeoutMs)
    // What was accepted is committed and acknowledged first. Then the transports are closed from this side, without
    // a goodbye of Socket.IO's own, after which its clients would stay away instead of reconnecting.
    await realtime.core.idle()
    for (const socket of io.sockets.sockets.values()) socket.conn.close()
    http.closeIdleConnections()
    await app?.close()
    await stopped
    clearTimeout(cut)
    await io.close()
    await realtime.close()
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

/** The gateway alone has one page: whether it is well. */
function answerAlone(request: IncomingMessage, response: ServerResponse, isClosing: boolean): void {
  const isHealth = request.url?.split("?")[0] === "/api/health"
  const status = isHealth ? (isClosing ? 503 : 200) : 404
  response.writeHead(status, { "Content-Type": "application/json", "Cache-Control": "no-store" })
  response.end(JSON.stringify(isHealth ? { status: isClosing ? "closing" : "ok" } : { error: "not-found" }))
}
