import { HttpResponse, http } from "msw/http"
import { ws } from "msw/ws"
import type { AblyService, RestRequest } from "./model.ts"
import { type AppDescription, describeApp } from "./sandbox.ts"
import { createAblyService, type ServiceOptions } from "./service.ts"

/** ably/README.md §1: the vendor's host names, fallbacks and older ones included. */
const HOSTS = /^(?:https?|wss?):\/\/(?:[\w-]+\.)+(?:ably\.net|ably\.io|ably-realtime\.com)(?::\d+)?(?=\/|$)/
const CONNECTIVITY_CHECK = /^https:\/\/internet-up\.ably-realtime\.com\//

/** The handlers for msw, and the service behind them. */
export interface AblyHandlers {
  /** For `setupServer(...handlers)` or `setupWorker(...handlers)`. */
  readonly handlers: (
    | ReturnType<typeof http.all>
    | ReturnType<ReturnType<typeof ws.link>["addEventListener"]>
  )[]
  /** The apps of the service, with their keys. */
  readonly apps: AppDescription[]
  /** The first app's first key. */
  readonly key: string
  /** The core, for faults and for looking at its state. */
  readonly service: AblyService
  /** Ends the connections; the handlers themselves belong to msw. */
  close(): void
}

/** The same core at the vendor's own host names, for what needs those; a loopback server is simpler where it will do. */
export function createAblyHandlers(options: ServiceOptions = {}): AblyHandlers {
  const service = createAblyService(options)

  const connectivity = http.get(CONNECTIVITY_CHECK, () => HttpResponse.text("yes"))
  const rest = http.all(HOSTS, async ({ request }) => {
    const answer = await service.request(await readRequest(request))
    if (!answer) return HttpResponse.error()
    // These statuses have no body, which the constructor insists on.
    const body = answer.status === 204 ? null : new Uint8Array(answer.body)
    return new HttpResponse(body, { status: answer.status, headers: answer.headers })
  })
  const realtime = ws.link(HOSTS).addEventListener("connection", ({ client }) => {
    // A mocked socket has no pings, so silence is filled with HEARTBEAT frames whatever the client asked for (§4.3).
    const query = new URLSearchParams(client.url.searchParams)
    query.set("heartbeats", "true")
    client.addEventListener("open", () => {
      const session = service.accept(
        {
          send: (frame) => client.send(typeof frame === "string" ? frame : new Uint8Array(frame)),
          ping: () => {},
          // msw delivers in a microtask, and not to a socket that is closing: the last frame goes first.
          close: () => queueMicrotask(() => client.close(1000)),
          terminate: () => client.close(1006),
        },
        query,
      )
      client.addEventListener("message", ({ data }) => {
        void toFrame(data).then((frame) => session.receive(frame))
      })
      client.addEventListener("close", () => session.closed())
    })
  })

  return {
    handlers: [connectivity, rest, realtime],
    service,
    get apps() {
      return [...service.apps.values()].map(describeApp)
    },
    get key() {
      const key = [...service.apps.values()][0]?.keys[0]
      if (!key) throw new Error("there is no app; create the handlers with one")
      return `${key.name}:${key.secret}`
    },
    close: service.close,
  }
}

async function readRequest(request: Request): Promise<RestRequest> {
  const url = new URL(request.url)
  return {
    method: request.method,
    path: url.pathname,
    query: url.searchParams,
    headers: Object.fromEntries(request.headers),
    body: new Uint8Array(await request.arrayBuffer()),
  }
}

async function toFrame(
  data: string | Blob | ArrayBufferLike | ArrayBufferView,
): Promise<string | Uint8Array> {
  if (typeof data === "string") return data
  if (data instanceof Blob) return new Uint8Array(await data.arrayBuffer())
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  return new Uint8Array(data)
}
