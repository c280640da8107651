import { setupServer } from "msw/node"
import PusherJs from "pusher-js"
import { createPusherEmulator } from "throughline-emulators/pusher"
import { pusherHandlers } from "throughline-emulators/pusher/msw"
import { afterAll, beforeAll, expect, it } from "vitest"
import { createFaultStage } from "../../testing/fault-stage.ts"
import { waitFor } from "../../testing/wait-for.ts"
import { createPusherTransport } from "./client.ts"
import { createPusherPublisher } from "./server.ts"

/** Clusters are host names, so this plays at Pusher's own. */
const network = setupServer()

beforeAll(() => {
  network.listen({ onUnhandledFrame: "error" })
  // pusher-js' build for Node brings a WebSocket of its own, which msw can't see.
  const { Runtime } = PusherJs as unknown as { Runtime: { createWebSocket(url: string): WebSocket } }
  Runtime.createWebSocket = (url) => new WebSocket(url)
})
afterAll(() => network.close())

it("another cluster than the app's fails the connection, and what is published waits in the log; both name the variable", async () => {
  const emulator = createPusherEmulator({
    apps: [{ id: "1", key: "app-key", secret: "app-secret", cluster: "eu" }],
  })
  network.use(...pusherHandlers(emulator))
  await using stage = createFaultStage({
    publisher: createPusherPublisher({ appId: "1", key: "app-key", secret: "app-secret", cluster: "us2" }),
    createTransport: createPusherTransport,
  })
  const { connection } = stage.openPage().client
  await waitFor(() => connection.status.state === "failed")
  expect(connection.status.error).toMatchObject({ code: "invalid-config", retryable: false })
  expect(connection.status.error?.message).toContain("not in this cluster")
  expect(connection.status.error?.message).toContain("check PUSHER_KEY and PUSHER_CLUSTER")
  expect((await stage.realtime.publish(stage.room(), "said", { text: "a" })).seq).toBe(1)
  expect(stage.told).toMatchObject([{ stage: "publish to pusher", error: { retryable: false } }])
  expect(stage.told[0]?.error.message).toContain("PUSHER_CLUSTER")
  emulator.stop()
})
