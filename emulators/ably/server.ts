import type { IncomingMessage, ServerResponse } from "node:http"
import { type ListenerOptions, maxUnreadBytes, startListener, type Wire } from "../listener.ts"
import type { Inspector } from "../page/inspector.ts"
import { CONTENT_TYPE } from "./codec.ts"
import { type Comet, type CometResponse, createComet } from "./comet.ts"
import { handleControl } from "./control.ts"
import type { AblyService, RestRequest, Session, Socket } from "./model.ts"
import { createAblyPage, readFrame } from "./page.ts"
import { corsHeaders } from "./rest.ts"
import { type AppDescription, describeApp } from "./sandbox.ts"
import { createAblyService, type ServiceOptions } from "./service.ts"

/** What `startAblyEmulator` takes. */
export interface AblyEmulatorOptions extends ServiceOptions, Pick<ListenerOptions, "port" | "host" | "tls"> {}

/** What `new Ably.Realtime({ …clientOptions, key })` and `new Ably.Rest(…)` need to reach the emulator. */
export interface AblyClientOptions {
  /** The host that it listens on. */
  endpoint: string
  /** The port that it listens on. */
  port: number
  /** With a certificate only; the same as `port`. */
  tlsPort?: number
  /** True where it was started with a certificate. */
  tls: boolean
  /** The SDK would ask a host of the vendor's whether there is a network. */
  disableConnectivityCheck: true
}

/** Ably on this machine, until it is closed or disposed of. */
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
  /** As in `http://127.0.0.1:6002`. */
  readonly url: string
  /** The host that it listens on. */
  readonly host: string
  /** The port that it listens on. */
  readonly port: number
  /** As they are now, apps made over REST included. */
  readonly apps: AppDescription[]
  /** The first app's first key, for the common case of one. */
  readonly key: string
  /** What `Ably.Realtime` and `Ably.Rest` need to reach it, beside a key. */
  readonly clientOptions: AblyClientOptions
  /** The core, for looking at its state. */
  readonly service: AblyService
  /** Ends every connection and frees the port. Idempotent. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

const NO_APP = "there is no app; start the emulator with one"

/**
 * Serves the protocol on localhost over real sockets.
 *
 * ```ts
 * await using emulator = await startAblyEmulator({ seed: 1 })
 * const client = new Ably.Realtime({ key: emulator.key, ...emulator.clientOptions })
 * emulator.faults.add({ fault: "drop", match: { direction: "outbound", channel: "room" }, times: 1 })
 * ```
 */
export async function startAblyEmulator(options: AblyEmulatorOptions = {}): Promise<AblyEmulator> {
  const { tls } = options
  const service = createAblyService(options)
  const page = createAblyPage(service)
  const comet = createComet({ service, accept: (socket, query) => accept(service, page, socket, query) })
  const listener = await startListener({
    ...options,
    page,
    // The core answers what is over its limits, in the vendor's words.
    maxBytes: 16 * 1024 * 1024,
    answer: (request, response, body) => answer(service, page, comet, readRequest(request, body), response),
    hasSocketsAt: (path) => path === "/",
    open: (wire, request) => accept(service, page, carriedBy(wire), urlOf(request).searchParams),
  })
  const { url, host, port } = listener

  function close(): Promise<void> {
    service.close()
    return listener.close()
  }

  return {
    ...service,
    service,
    ...{ url, host, port },
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
      port,
      ...(tls ? { tlsPort: port } : {}),
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
    page.passed(frame.length, () => ({ from, connection: session?.connection?.id, ...readFrame(frame) }))
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

/** The core has frames for every reason, and no codes. */
const carriedBy = (wire: Wire): Socket => ({ ...wire, ping: () => wire.ping(), close: () => wire.close() })

/** An HTTP answer as comet holds it open. */
function holdOpen(comet: Comet, read: RestRequest, response: ServerResponse): CometResponse {
  const headers = { ...corsHeaders(read), "content-type": CONTENT_TYPE.json, "cache-control": "no-store" }
  const held: CometResponse = {
    write(text) {
      if (response.writableLength > maxUnreadBytes) return void response.destroy()
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
  read: RestRequest,
  response: ServerResponse,
) {
  if (read.path.startsWith("/comet/") && read.method !== "OPTIONS")
    return comet.handle(read, holdOpen(comet, read, response))
  const control = handleControl(service, read)
  let status: number | string = "pending"
  if (!control) page.passed(read.body.byteLength, () => describeRequest(read, status))
  const result = control ?? (await service.request(read))
  status = result?.status ?? "cut"
  if (!result) return void response.destroy()
  response.writeHead(result.status, { ...result.headers, "content-length": result.body.byteLength })
  response.end(result.body)
}

function describeRequest({ method, path, headers, body }: RestRequest, status: number | string) {
  const isText = !headers["content-type"]?.includes("msgpack")
  return {
    from: "http" as const,
    name: `${method} ${path} ${status}`,
    text: isText ? Buffer.from(body).toString() : `${body.byteLength} bytes of MessagePack`,
  }
}

function readRequest(request: IncomingMessage, body: Buffer): RestRequest {
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
    body,
  }
}

/** A path that is no URL is read as the root, which nothing answers to. */
function urlOf(request: IncomingMessage): URL {
  const base = "http://localhost/"
  return URL.parse(request.url ?? "/", base) ?? new URL(base)
}
