import { describe, expect, it } from "vitest"
import { startPusherEmulator } from "./server.ts"
import { onEachService } from "./services.ts"
import { createSdkClient, createServerLibrary, record, until } from "./test-clients.ts"

const app = { id: "1", key: "app-key", secret: "app-secret" }

describe("client events, by the official SDK", () => {
  onEachService("§5g §5h §5k a client event goes to the other subscribers, never back", async (emulator) => {
    using sender = createSdkClient(emulator)
    using receiver = createSdkClient(emulator)
    const channel = await sender.subscribe("private-room")
    const atSender = record(channel)
    const atReceiver = record(await receiver.subscribe("private-room"))
    channel.trigger("client-typing", { is: true })
    channel.trigger("client-note", "a string")
    await until(() => atReceiver.length === 2)
    expect(atReceiver).toEqual([
      { event: "client-typing", data: { is: true } },
      { event: "client-note", data: "a string" },
    ])
    await createServerLibrary(emulator).trigger("private-room", "last", {})
    await until(() => atSender.length > 0)
    expect(atSender).toEqual([{ event: "last", data: {} }])
  })

  onEachService("§5i §5j in a presence channel the sender's user_id comes with it", async (emulator) => {
    using sender = createSdkClient(emulator, { member: { user_id: "ann" } })
    using receiver = createSdkClient(emulator, { member: { user_id: "bob" } })
    const channel = await sender.subscribe("presence-room")
    const senders: unknown[] = []
    const there = await receiver.subscribe("presence-room")
    there.bind("client-typing", (_data: unknown, metadata: { user_id?: string }) =>
      senders.push(metadata.user_id),
    )
    channel.trigger("client-typing", {})
    await until(() => senders.length === 1)
    expect(senders).toEqual(["ann"])
  })

  it("§5l §5m §8x the eleventh in a second is refused with 4301, and the connection stays", async () => {
    await using emulator = await startPusherEmulator()
    using sender = createSdkClient(emulator)
    using receiver = createSdkClient(emulator)
    const channel = await sender.subscribe("private-room")
    const received = record(await receiver.subscribe("private-room"))
    for (let count = 0; count < 11; count += 1) channel.trigger("client-typing", { count })
    await until(() => sender.errors.length === 1 && received.length === 10)
    expect(sender.errors[0]).toEqual({ code: 4301, message: "Client event rejected due to rate limit" })
    expect(sender.pusher.connection.state).toBe("connected")
  })

  it.each([
    ["in a public channel", "room", {}, {}, "only supported on private and presence channels"],
    [
      "of an app that hasn't enabled them",
      "private-room",
      { clientEvents: false },
      {},
      "you must enable this feature",
    ],
    [
      "over 10 KB",
      "private-room",
      {},
      { text: "x".repeat(10 * 1024) },
      "exceeds the allowed maximum (10240 bytes)",
    ],
  ])(
    "§5d §5e §5o §5p a client event %s is refused, and the connection stays",
    async (_what, name, settings, data, message) => {
      await using emulator = await startPusherEmulator({ apps: [{ ...app, ...settings }] })
      using sender = createSdkClient(emulator)
      const channel = await sender.subscribe(name)
      channel.trigger("client-typing", data)
      await until(() => sender.errors.length === 1)
      expect(sender.errors[0]).toMatchObject({ code: null, message: expect.stringContaining(message) })
      expect(sender.pusher.connection.state).toBe("connected")
    },
  )

  it("§5f a client event on a channel that its sender hasn't joined is refused", async () => {
    await using emulator = await startPusherEmulator()
    using sender = createSdkClient(emulator)
    await sender.connected()
    sender.pusher.send_event("client-typing", {}, "private-room")
    await until(() => sender.errors.length === 1)
    expect(sender.errors[0]?.message).toContain("not subscribed to private-room")
  })
})
