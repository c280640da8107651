import { type HttpHandler, HttpResponse, http } from "msw/http"
import { type WebSocketHandler, ws } from "msw/ws"
import type { ConnectedSocket, PusherEmulator } from "./emulator.ts"

const apiHost = /^https?:\/\/api-([a-z0-9-]+)\.pusher\.com(:\d+)?\//
const webSocketHost = /^wss?:\/\/ws-([a-z0-9-]+)\.pusher\.com(:\d+)?\//

/**
 * The emulator at the service's own host names, for `setupServer(...pusherHandlers(emulator))`. It reaches what uses the
 * global `WebSocket` and HTTP; pusher-js's Node build brings a WebSocket of its own (see README.md).
 */
export function pusherHandlers(emulator: PusherEmulator): (HttpHandler | WebSocketHandler)[] {
  const api = http.all(apiHost, async ({ request }) => {
    const { pathname: path, search } = new URL(request.url)
    const headers = Object.fromEntries(request.headers)
    const body = await request.text()
    const [, cluster] = apiHost.exec(request.url) ?? []
    const outcome = await emulator.handle({
      method: request.method,
      path,
      query: search.slice(1),
      headers,
      body,
      cluster,
    })
    if (outcome === "hang") return new Promise<never>(() => {})
    if (outcome === "cut") return HttpResponse.error()
    return new HttpResponse(outcome.body, { status: outcome.status, headers: outcome.headers })
  })

  const webSocket = ws.link(webSocketHost).addEventListener("connection", ({ client }) => {
    const { href, pathname, search, protocol } = client.url
    // The service accepts a socket before it refuses it, so the client has to have seen it open.
    const connection = new Promise<ConnectedSocket>((resolve) => {
      setTimeout(() => {
        const [, cluster] = webSocketHost.exec(href) ?? []
        const { origin } = globalThis.location ?? {}
        const request = { url: pathname + search, isTLS: protocol === "wss:", cluster, origin }
        resolve(
          emulator.connect(request, {
            send: (text) => client.send(text),
            // msw delivers in a microtask, and not to a socket that is closing: the last frame goes first.
            close: (code, reason) => queueMicrotask(() => client.close(code, reason)),
            // What a browser reports when the close frame is missing.
            terminate: () => client.close(1006),
          }),
        )
      })
    })
    client.addEventListener("message", async ({ data }) => {
      const { receive } = await connection
      receive(typeof data === "string" ? data : new Uint8Array())
    })
    client.addEventListener("close", async () => {
      const { closed } = await connection
      closed()
    })
  })

  return [api, webSocket]
}
