import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { createServer as createTLSServer, type ServerOptions as TLSServerOptions } from "node:https"
import type { AddressInfo } from "node:net"
import type { Duplex } from "node:stream"
import { type RawData, WebSocket, WebSocketServer } from "ws"
import type { Inspector } from "../page/inspector.ts"
import { CONTENT_TYPE } from "./codec.ts"
import { type Comet, type CometResponse, createComet } from "./comet.ts"
import { handleControl } from "./control.ts"
import { createAblyPage, readFrame } from "./page.ts"
import { corsHeaders } from "./rest.ts"
import type { RestRequest } from "./route.ts"
import { type AppDescription, describeApp } from "./sandbox.ts"
import { type AblyService, createAblyService, type ServiceOptions } from "./service.ts"
import type { Session, Socket } from "./session.ts"

export interface AblyEmulatorOptions extends ServiceOptions {
  /** 0, the default, takes a free one. */
  port?: number
  /** 127.0.0.1 unless given, so that nothing outside this machine reaches it. */
  host?: string
  /** A certificate makes it `https:` and `wss:`, which the setup of the vendor's own suites asks for. */
  tls?: Pick<TLSServerOptions, "key" | "cert">
}

/** What `new Ably.Realtime({ …clientOptions, key })` and `new Ably.Rest(…)` need to reach the emulator. */
export interface AblyClientOptions {
  endpoint: string
  port: number
  /** With a certificate only; the same as `port`. */
  tlsPort?: number
  tls: boolean
  disableConnectivityCheck: true
}

export interface AblyEmulator
  extends Pick<
    AblyService,
    | "faults"
    | "clock"
    | "dropConnections"
    | "disconnect"
    | "fail"
    | "requestReauth"
    | "detach"
    | "breakContinuity"
    | "expireTokens"
    | "revokeTokens"
    | "forgetConnections"
    | "forgetChannel"
  > {
  readonly url: string
  readonly host: string
  readonly port: number
  /** As they are now, apps made over REST included. */
  readonly apps: AppDescription[]
  /** The first app's first key, for the common case of one. */
  readonly key: string
  readonly clientOptions: AblyClientOptions
  /** The core, for looking at its state. */
  readonly service: AblyService
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

const NO_APP = "there is no app; start the emulator with one"

/** Serves the protocol on localhost over real sockets. */
export async function startAblyEmulator(options: AblyEmulatorOptions = {}): Promise<AblyEmulator> {
  const { port = 0, host = "127.0.0.1", tls } = options
  const service = createAblyService(options)
  const page = createAblyPage(service)
  const comet = createComet({ service, accept: (socket, query) => accept(service, page, socket, query) })
  const server = tls ? createTLSServer(tls) : createServer()
  // The core enforces the frame limit and answers in the vendor's words; this one only bounds memory.
  const sockets = new WebSocketServer({ noServer: true, maxPayload: 16 * 1024 * 1024 })

  server.on("request", (request, response) => {
    if (!page.answer(request, response)) void answer(service, page, comet, request, response)
  })
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on("error", () => socket.destroy())
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      carry(webSocket, (socket) => accept(service, page, socket, urlOf(request).searchParams))
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
      service.close()
      page.close()
      for (const webSocket of sockets.clients) webSocket.terminate()
      server.close(() => resolve())
      server.closeAllConnections()
    })
    return closing
  }

  return {
    ...service,
    service,
    host,
    port: address.port,
    url: `${tls ? "https" : "http"}://${host}:${address.port}`,
    get apps() {
      return [...service.apps.values()].map(describeApp)
    },
    get key() {
      const key = [...service.apps.values()][0]?.keys[0]
      if (!key) throw new Error(NO_APP)
      return `${key.name}:${key.secret}`
    },
    clientOptions: {
      endpoint: host,
      port: address.port,
      ...(tls ? { tlsPort: address.port } : {}),
      tls: tls !== undefined,
      disableConnectivityCheck: true,
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** A session whose frames the page sees. */
function accept(service: AblyService, page: Inspector, socket: Socket, query: URLSearchParams): Session {
  let session: Session | undefined
  const passed = (from: "client" | "service", frame: string | Uint8Array) =>
    page.passed(() => ({ from, connection: session?.connection?.id, ...readFrame(frame) }))
  const opened = service.accept(
    {
      ...socket,
      send(frame) {
        passed("service", frame)
        socket.send(frame)
      },
    },
    query,
  )
  session = opened
  return {
    get connection() {
      return opened.connection
    },
    receive(frame) {
      passed("client", frame)
      opened.receive(frame)
    },
    closed: opened.closed,
    cut: opened.cut,
  }
}

function carry(webSocket: WebSocket, open: (socket: Socket) => Session) {
  const session = open({
    send: (frame) => webSocket.send(frame),
    ping: () => webSocket.ping(),
    close: () => webSocket.close(),
    terminate: () => webSocket.terminate(),
  })
  webSocket.on("message", (data: RawData, isBinary: boolean) => {
    const bytes = toBytes(data)
    session.receive(isBinary ? bytes : Buffer.from(bytes).toString("utf8"))
  })
  // An oversize or malformed WebSocket frame ends in an error event and then in close.
  webSocket.on("error", () => webSocket.terminate())
  webSocket.on("close", () => session.closed())
  if (webSocket.readyState === WebSocket.CLOSED) session.closed()
}

/** An HTTP answer as comet holds it open. */
function holdOpen(comet: Comet, read: RestRequest, response: ServerResponse): CometResponse {
  const headers = { ...corsHeaders(read), "content-type": CONTENT_TYPE.json, "cache-control": "no-store" }
  const held: CometResponse = {
    write(text) {
      if (!response.headersSent) response.writeHead(200, headers)
      response.write(text)
    },
    end(status, text) {
      if (!response.headersSent) response.writeHead(status, headers)
      response.end(text)
    },
    destroy: () => response.destroy(),
  }
  response.on("close", () => comet.abandoned(held))
  return held
}

async function answer(
  service: AblyService,
  page: Inspector,
  comet: Comet,
  request: IncomingMessage,
  response: ServerResponse,
) {
  try {
    const read = await readRequest(request)
    if (read.path.startsWith("/comet/") && read.method !== "OPTIONS")
      return comet.handle(read, holdOpen(comet, read, response))
    const control = handleControl(service, read)
    let status: number | string = "pending"
    if (!control) page.passed(() => describeRequest(read, status))
    const result = control ?? (await service.request(read))
    status = result?.status ?? "cut"
    if (!result) return void request.socket.destroy()
    response.writeHead(result.status, { ...result.headers, "content-length": result.body.byteLength })
    response.end(result.body)
  } catch {
    // The client went away while it was sending.
    request.socket.destroy()
  }
}

function describeRequest({ method, path, headers, body }: RestRequest, status: number | string) {
  const isText = !headers["content-type"]?.includes("msgpack")
  return {
    from: "http" as const,
    name: `${method} ${path} ${status}`,
    text: isText ? Buffer.from(body).toString() : `${body.byteLength} bytes of MessagePack`,
  }
}

async function readRequest(request: IncomingMessage): Promise<RestRequest> {
  const chunks: Uint8Array[] = []
  for await (const chunk of request) chunks.push(chunk)
  const url = urlOf(request)
  const headers = Object.entries(request.headers).map(([name, value]) => [
    name,
    Array.isArray(value) ? value.join(", ") : value,
  ])
  return {
    method: request.method ?? "GET",
    path: url.pathname,
    query: url.searchParams,
    headers: Object.fromEntries(headers),
    body: Buffer.concat(chunks),
  }
}

/** A path that is no URL is read as the root, which nothing answers to. */
function urlOf(request: IncomingMessage): URL {
  const base = "http://localhost/"
  return URL.parse(request.url ?? "/", base) ?? new URL(base)
}

function toBytes(data: RawData): Uint8Array {
  if (Array.isArray(data)) return Buffer.concat(data)
  return data instanceof ArrayBuffer ? new Uint8Array(data) : data
}
