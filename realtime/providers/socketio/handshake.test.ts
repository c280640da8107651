import { expect, it } from "vitest"
import { createHandshake } from "./handshake.ts"
import type { GatewaySocket } from "./requests.ts"

/** What Socket.IO's manager is told of the next attempts, as it would be by then. */
function openHandshake() {
  const listeners: Record<string, () => void> = {}
  const told = { transports: [""], tryAllTransports: false, timeoutMs: 0 }
  const manager = {
    opts: told,
    timeout(ms: number) {
      told.timeoutMs = ms
    },
    on(event: string, listener: () => void) {
      listeners[event] = listener
    },
    engine: {
      once(event: string, listener: () => void) {
        listeners[event] = listener
      },
    },
  }
  const handshake = createHandshake(manager as unknown as GatewaySocket["io"], 4_000)
  const failed = (...messages: string[]) => {
    for (const message of messages) handshake.failed(new Error(message))
  }
  const next = () => `${told.transports[0]} ${told.timeoutMs}${told.tryAllTransports ? ", then others" : ""}`
  return { failed, succeeded: handshake.succeeded, listeners, next }
}

const refused = "websocket error"
const late = "timeout"

it.each([
  ["a WebSocket first, and what is left where that is refused", [], "websocket 4000, then others"],
  ["the same after a refusal", [refused], "websocket 4000, then others"],
  ["polling where nobody answered", [late], "polling 20000"],
  ["a WebSocket with more time where polling failed as well", [late, refused], "websocket 8000, then others"],
  ["no more than polling has", [late, late, late, late, late, late], "websocket 20000, then others"],
])("begins with %s", (_, failures, expected) => {
  const { failed, next } = openHandshake()
  failed(...failures)
  expect(next()).toBe(expected)
})

it("begins with a WebSocket again once a connection has moved up to one", () => {
  const { failed, listeners, next } = openHandshake()
  failed(late)
  listeners.open?.()
  expect(next()).toBe("polling 20000")
  listeners.upgrade?.()
  expect(next()).toBe("websocket 8000, then others")
})

it("counts the time anew after a connection", () => {
  const { failed, succeeded, next } = openHandshake()
  failed(late, refused)
  succeeded()
  failed(late, refused)
  expect(next()).toBe("websocket 8000, then others")
})
