import * as Ably from "ably"
import { setupServer } from "msw/node"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { openRealtimeAtVendor, until } from "./harness.ts"
import { createAblyHandlers } from "./msw.ts"

const ably = createAblyHandlers({ seed: 1 })
const network = setupServer(...ably.handlers)

beforeAll(() => network.listen({ onUnhandledFrame: "error" }))
afterAll(() => {
  ably.close()
  network.close()
})

describe("the emulator at the vendor's host names, by msw", () => {
  test("§2.2f a REST publish to main.realtime.ably.net is answered", async () => {
    const rest = new Ably.Rest({ key: ably.key, logLevel: 0 })
    const { serials } = await rest.channels.get("room").publish("greeting", { text: "hello" })
    expect(serials).toHaveLength(1)
    const { items } = await rest.channels.get("room").history()
    expect(items[0]?.data).toEqual({ text: "hello" })
  })

  test("§3.1c an error has the vendor's body", async () => {
    const rest = new Ably.Rest({ key: "no.such:key", logLevel: 0 })
    await expect(rest.channels.get("room").publish("greeting", "hello")).rejects.toMatchObject({
      code: 40101,
      statusCode: 401,
    })
  })

  test("§4b the SDK connects, publishes and receives over the global WebSocket", async () => {
    await using client = openRealtimeAtVendor(ably.key)
    const channel = client.channels.get("live")
    const received: unknown[] = []
    await channel.subscribe((message) => void received.push(message.data))
    await channel.publish("greeting", "over the socket")
    await until(() => expect(received).toEqual(["over the socket"]))
  })

  test("§4.5a a dropped socket resumes", async () => {
    await using client = openRealtimeAtVendor(ably.key)
    await client.connection.whenState("connected")
    const { id } = client.connection
    const dropped = client.connection.once("disconnected")
    ably.service.dropConnections()
    await dropped
    await client.connection.whenState("connected")
    expect(client.connection.id).toBe(id)
  })
})
