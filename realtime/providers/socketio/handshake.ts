import type { GatewaySocket } from "./requests.ts"

/** How long an attempt may take that doesn't begin with a WebSocket, and the longest that one does. */
const patientTimeoutMs = 20_000

/**
 * Browser: how the next attempts begin. A WebSocket is one request, and where it is refused, polling is tried
 * in the same attempt. Where nobody answers its handshake, as behind some proxies, it is polling: Socket.IO
 * moves up from it as soon as a WebSocket works.
 */
export function createHandshake(manager: GatewaySocket["io"], timeoutMs: number) {
  let first: "websocket" | "polling"
  let webSocketTimeoutMs = timeoutMs

  function beginWith(transport: typeof first): void {
    first = transport
    const isWebSocket = first === "websocket"
    Object.assign(manager.opts, {
      transports: isWebSocket ? ["websocket", "polling"] : ["polling", "websocket"],
      tryAllTransports: isWebSocket,
    })
    manager.timeout(isWebSocket ? webSocketTimeoutMs : patientTimeoutMs)
  }

  manager.on("open", () => {
    manager.engine.once("upgrade", () => beginWith("websocket"))
  })
  beginWith("websocket")

  return {
    /** Polling that fails as well (several gateways without stickiness) leaves the WebSocket more time. */
    failed({ message }: Error): void {
      if (first === "polling") beginWith("websocket")
      else if (message === "timeout") {
        webSocketTimeoutMs = Math.min(patientTimeoutMs, webSocketTimeoutMs * 2)
        beginWith("polling")
      }
    },
    succeeded(): void {
      webSocketTimeoutMs = timeoutMs
    },
  }
}
