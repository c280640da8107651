import { setupServer } from "msw/node"
import PusherJs from "pusher-js"
import { describeTransportContract } from "throughline/testing"
import { createPusherEmulator } from "throughline-emulators/pusher"
import { pusherHandlers } from "throughline-emulators/pusher/msw"
import { afterAll, beforeAll } from "vitest"
import { createPusherBackend, faultsOf } from "../../testing/pusher-backend.ts"

/** One emulator at a time is at the host names; each check brings its own. */
const network = setupServer()

beforeAll(() => {
  network.listen({ onUnhandledFrame: "error" })
  // pusher-js' build for Node brings a WebSocket of its own, which msw can't see.
  const { Runtime } = PusherJs as unknown as { Runtime: { createWebSocket(url: string): WebSocket } }
  Runtime.createWebSocket = (url) => new WebSocket(url)
})
afterAll(() => network.close())

describeTransportContract({
  name: "pusher, msw",
  async start() {
    const emulator = createPusherEmulator({
      apps: [{ id: "1", key: "app-key", secret: "app-secret", cluster: "eu" }],
    })
    network.use(...pusherHandlers(emulator))
    return createPusherBackend({
      options: { appId: "1", key: "app-key", secret: "app-secret", cluster: "eu" },
      ...faultsOf(emulator),
      async close() {
        emulator.stop()
        network.resetHandlers()
      },
    })
  },
})
