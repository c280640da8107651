import type { IncomingMessage, ServerResponse } from "node:http"
import { type Conversation, type ListenerOptions, startListener, type Wire } from "../listener.ts"
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

/** What `startPusherEmulator` takes. */
export interface PusherServerOptions
  extends PusherEmulatorOptions,
    Pick<ListenerOptions, "port" | "host" | "tls"> {}

/** Pusher on this machine, until it is closed or disposed of. */
export interface PusherServer extends Omit<PusherEmulator, "connect" | "handle" | "stop">, AsyncDisposable {
  /** As in `http://127.0.0.1:6001`. */
  readonly url: string
  /** The host that it listens on. */
  readonly host: string
  /** The port that it listens on. */
  readonly port: number
  /** For `new PusherJs(app.key, options)`: WebSocket only, to this server. */
  clientOptions(): PusherClientOptions
  /** For `new Pusher(options)` of the server library. The first app unless told. */
  serverOptions(idOrKey?: string): PusherServerLibraryOptions
  /** Cuts every connection and frees the port. */
  close(): Promise<void>
}

/** What pusher-js needs to reach the emulator. */
export interface PusherClientOptions {
  /** Has to be there, and isn't used. */
  cluster: string
  /** The host that it listens on. */
  wsHost: string
  /** The port that it listens on. */
  wsPort: number
  /** The same one. */
  wssPort: number
  /** True where it was started with a certificate. */
  forceTLS: boolean
  /** Without a certificate `ws` alone: `wss` would be tried as well, and wait in vain. */
  enabledTransports: ("ws" | "wss")[]
}

/** What the server library `pusher` needs to reach the emulator. */
export interface PusherServerLibraryOptions {
  /** The app's id. */
  appId: string
  /** The app's key. */
  key: string
  /** The app's secret. */
  secret: string
  /** The host that it listens on. */
  host: string
  /** The port that it listens on. */
  port: string
  /** True where it was started with a certificate. */
  useTLS: boolean
}

/**
 * Starts the service on localhost: the WebSocket protocol and the HTTP API on one port.
 *
 * ```ts
 * await using emulator = await startPusherEmulator({ seed: 1 })
 * const server = new Pusher(emulator.serverOptions()) // of the package pusher
 * emulator.faults.inject({ kind: "drop", channel: "room", times: 1 })
 * ```
 */
export async function startPusherEmulator(options: PusherServerOptions = {}): Promise<PusherServer> {
  const { tls } = options
  const emulator = createPusherEmulator(options)
  const page = createPusherPage(emulator)
  const biggestFrame = Math.max(...emulator.apps.map((app) => app.settings.limits.frameBytes))
  const listener = await startListener({
    ...options,
    page,
    // The core answers what is over its limits.
    maxBytes: 16 * biggestFrame,
    answer: (request, response, body) => answer(emulator, page, request, response, body),
    // One of another path is told so by its close code (pusher/README.md §8).
    hasSocketsAt: () => true,
    open: (wire, request) =>
      attach(emulator, page, wire, {
        url: request.url ?? "/",
        isTLS: tls !== undefined,
        origin: request.headers.origin,
      }),
  })
  const { url, host, port } = listener

  function close(): Promise<void> {
    emulator.stop()
    return listener.close()
  }

  return {
    ...{ url, host, port },
    apps: emulator.apps,
    app: emulator.app,
    faults: emulator.faults,
    dropConnections: emulator.dropConnections,
    clientOptions: () => ({
      cluster: "mt1",
      wsHost: host,
      wsPort: port,
      wssPort: port,
      forceTLS: tls !== undefined,
      // Without TLS "wss" would be tried as well after a failure, and wait in vain for an answer.
      enabledTransports: tls ? ["ws", "wss"] : ["ws"],
    }),
    serverOptions(idOrKey) {
      const { id, key, secret }: App = emulator.app(idOrKey)
      return { appId: id, key, secret, host, port: String(port), useTLS: tls !== undefined }
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

function attach(
  emulator: PusherEmulator,
  page: Inspector,
  wire: Wire,
  request: ConnectRequest,
): Conversation {
  let socketId: string | undefined
  const socket: Socket = {
    send(text) {
      page.passed(text.length, () => ({ from: "service", connection: socketId, ...readFrame(text) }))
      wire.send(text)
    },
    close(code, reason) {
      page.passed(0, () => ({ from: "service", connection: socketId, name: `close ${code}`, text: reason }))
      wire.close(code, reason)
    },
    terminate: () => wire.terminate(),
  }
  const connection = emulator.connect(request, socket)
  socketId = connection.socketId
  return {
    receive(frame) {
      page.passed(frame.length, () => ({ from: "client", connection: socketId, ...readFrame(frame) }))
      connection.receive(frame)
    },
    closed: connection.closed,
  }
}

async function answer(
  emulator: PusherEmulator,
  page: Inspector,
  request: IncomingMessage,
  response: ServerResponse,
  bytes: Buffer,
): Promise<void> {
  const [path = "/", query = ""] = (request.url ?? "/").split(/\?(.*)/s)
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(", ") : value,
    ]),
  )
  const body = bytes.toString()
  const method = request.method ?? "GET"
  let result: string | number = "pending"
  if (!path.startsWith("/__emulator"))
    page.passed(body.length, () => ({ from: "http", name: `${method} ${path} ${result}`, text: body }))
  const outcome = await emulator.handle({ method, path, query, headers, body })
  result = typeof outcome === "string" ? outcome : outcome.status
  if (outcome === "hang") return
  if (outcome === "cut") request.socket.destroy()
  else response.writeHead(outcome.status, outcome.headers).end(outcome.body)
}
