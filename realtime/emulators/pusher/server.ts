import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { createServer as createTLSServer, type ServerOptions } from "node:https"
import type { AddressInfo } from "node:net"
import { type WebSocket, WebSocketServer } from "ws"
import type { Inspector } from "../page/inspector.ts"
import type { App } from "./app.ts"
import type { Socket } from "./connection.ts"
import {
  type ConnectRequest,
  createPusherEmulator,
  type PusherEmulator,
  type PusherEmulatorOptions,
} from "./emulator.ts"
import { createPusherPage, readFrame } from "./page.ts"

export interface PusherServerOptions extends PusherEmulatorOptions {
  /** Any free one, unless told. */
  port?: number
  host?: string
  /** A certificate makes it `https:` and `wss:`. */
  tls?: Pick<ServerOptions, "key" | "cert">
}

export interface PusherServer extends Omit<PusherEmulator, "connect" | "handle" | "stop">, AsyncDisposable {
  /** As in `http://127.0.0.1:6001`. */
  readonly url: string
  readonly host: string
  readonly port: number
  /** For `new PusherJs(app.key, options)`: WebSocket only, to this server. */
  clientOptions(): PusherClientOptions
  /** For `new Pusher(options)` of the server library. The first app unless told. */
  serverOptions(idOrKey?: string): PusherServerLibraryOptions
  /** Cuts every connection and frees the port. */
  close(): Promise<void>
}

export interface PusherClientOptions {
  cluster: string
  wsHost: string
  wsPort: number
  wssPort: number
  forceTLS: boolean
  enabledTransports: ("ws" | "wss")[]
}

export interface PusherServerLibraryOptions {
  appId: string
  key: string
  secret: string
  host: string
  port: string
  useTLS: boolean
}

/** Starts the service on localhost: the WebSocket protocol and the HTTP API on one port. */
export async function startPusherEmulator(options: PusherServerOptions = {}): Promise<PusherServer> {
  const { port = 0, host = "127.0.0.1", tls } = options
  const emulator = createPusherEmulator(options)
  const server = tls ? createTLSServer(tls) : createServer()
  const biggestFrame = Math.max(...emulator.apps.map((app) => app.settings.limits.frameBytes))
  // The core answers a frame over the limit; `ws` only keeps a far bigger one out of memory.
  const sockets = new WebSocketServer({ noServer: true, maxPayload: 16 * biggestFrame })
  const page = createPusherPage(emulator)

  server.on("request", (request, response) => {
    if (page.answer(request, response)) return
    answer(emulator, page, request, response).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : undefined)
    })
  })
  server.on("upgrade", (request, stream, head) => {
    stream.on("error", () => {})
    sockets.handleUpgrade(request, stream, head, (socket) => {
      attach(emulator, page, socket, {
        url: request.url ?? "/",
        isTLS: tls !== undefined,
        origin: request.headers.origin,
      })
    })
  })

  await new Promise<void>((resolve, reject) => {
    server.once("error", reject)
    server.listen(port, host, resolve)
  })
  const address = server.address() as AddressInfo
  let closing: Promise<void> | undefined

  function close(): Promise<void> {
    closing ??= new Promise((resolve) => {
      emulator.stop()
      page.close()
      for (const socket of sockets.clients) socket.terminate()
      server.close(() => resolve())
      server.closeAllConnections()
    })
    return closing
  }

  return {
    url: `${tls ? "https" : "http"}://${host}:${address.port}`,
    host,
    port: address.port,
    apps: emulator.apps,
    app: emulator.app,
    faults: emulator.faults,
    dropConnections: emulator.dropConnections,
    clientOptions: () => ({
      cluster: "mt1",
      wsHost: host,
      wsPort: address.port,
      wssPort: address.port,
      forceTLS: tls !== undefined,
      // Without TLS "wss" would be tried as well after a failure, and wait in vain for an answer.
      enabledTransports: tls ? ["ws", "wss"] : ["ws"],
    }),
    serverOptions(idOrKey) {
      const { id, key, secret }: App = emulator.app(idOrKey)
      return { appId: id, key, secret, host, port: String(address.port), useTLS: tls !== undefined }
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

function attach(emulator: PusherEmulator, page: Inspector, socket: WebSocket, request: ConnectRequest): void {
  let socketId: string | undefined
  const wire: Socket = {
    send(text) {
      page.passed(() => ({ from: "service", connection: socketId, ...readFrame(text) }))
      socket.send(text)
    },
    close(code, reason) {
      page.passed(() => ({ from: "service", connection: socketId, name: `close ${code}`, text: reason }))
      socket.close(code, reason)
    },
    terminate: () => socket.terminate(),
  }
  const connection = emulator.connect(request, wire)
  socketId = connection.socketId
  socket.on("message", (data: Buffer, isBinary) => {
    const frame = isBinary ? data : data.toString()
    page.passed(() => ({ from: "client", connection: socketId, ...readFrame(frame) }))
    connection.receive(frame)
  })
  socket.on("close", () => connection.closed())
  // An unreadable frame is an error first and a close next; the close is enough.
  socket.on("error", () => {})
}

async function answer(
  emulator: PusherEmulator,
  page: Inspector,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const [path = "/", query = ""] = (request.url ?? "/").split(/\?(.*)/s)
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(", ") : value,
    ]),
  )
  const body = Buffer.concat(chunks).toString()
  const method = request.method ?? "GET"
  let result: string | number = "pending"
  if (!path.startsWith("/__emulator"))
    page.passed(() => ({ from: "http", name: `${method} ${path} ${result}`, text: body }))
  const outcome = await emulator.handle({ method, path, query, headers, body })
  result = typeof outcome === "string" ? outcome : outcome.status
  if (outcome === "hang") return
  if (outcome === "cut") request.socket.destroy()
  else response.writeHead(outcome.status, outcome.headers).end(outcome.body)
}
