import { Rest } from "ably"
import { setupServer } from "msw/node"
import { describeTransportContract } from "throughline/testing"
import { createAblyHandlers } from "throughline-emulators/ably/msw"
import { afterAll, beforeAll } from "vitest"

/** One emulator at a time is at the host names; each check brings its own. */
const network = setupServer()

beforeAll(() => {
  network.listen({ onUnhandledFrame: "error" })
  // The SDK's build for Node, with which the contract forges, brings a WebSocket
  // of its own, which msw can't see.
  const { Platform } = Rest as unknown as { Platform: { Config: Record<string, unknown> } }
  Object.assign(Platform.Config, { WebSocket: globalThis.WebSocket, binaryType: "arraybuffer" })
})
afterAll(() => network.close())

describeTransportContract({
  name: "ably, msw",
  async start() {
    // The SDK takes the WebSocket that it finds when it is loaded: by now that is msw's.
    const { createAblyBackend, faultsOf } = await import("../../testing/ably-backend.ts")
    // Ably waits for 15 s.
    const limits = { presenceLeaveDelay: 500 }
    const ably = createAblyHandlers({ apps: [{ keys: [{ revocableTokens: true }] }], limits })
    network.use(...ably.handlers)
    return createAblyBackend({
      options: { apiKey: ably.key },
      ...faultsOf(ably.service),
      close() {
        ably.close()
        network.resetHandlers()
      },
    })
  },
})
