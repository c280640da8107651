import { describe, expect, it } from "vitest"
import { createTestEmulator, join, openSocket } from "./test-clients.ts"

const seconds = 1000
const hours = 3600 * seconds

describe("liveness, by the clock", () => {
  it("§1.4d a ping is answered with a pong", () => {
    const socket = openSocket(createTestEmulator())
    socket.say({ event: "pusher:ping", data: {} })
    expect(socket.frames.at(-1)).toEqual({ event: "pusher:pong", data: "{}" })
  })

  it("§1.4g §8v a silent client is pinged, and closed with 4201 if it stays silent", () => {
    const emulator = createTestEmulator()
    const socket = openSocket(emulator)
    emulator.clock.advance(120 * seconds - 1)
    expect(socket.of("pusher:ping")).toEqual([])
    emulator.clock.advance(1)
    expect(socket.of("pusher:ping")).toEqual([{ event: "pusher:ping", data: "{}" }])
    emulator.clock.advance(30 * seconds - 1)
    expect(socket.closed).toBeUndefined()
    emulator.clock.advance(1)
    expect(socket.closed).toEqual({ code: 4201, reason: "Pong reply not received" })
    expect(emulator.app().connections.size).toBe(0)
  })

  it.each(["pusher:pong", "pusher:ping", "client-anything"])("§1.4g %s counts as a sign of life", (event) => {
    const emulator = createTestEmulator()
    const socket = openSocket(emulator)
    for (let round = 0; round < 10; round += 1) {
      emulator.clock.advance(121 * seconds)
      socket.say({ event, channel: "private-room", data: {} })
    }
    expect(socket.closed).toBeUndefined()
  })

  it("§1.4h §8w a client that can't ping is closed with 4202 after a day", () => {
    const emulator = createTestEmulator()
    const socket = openSocket(emulator, "/app/app-key?protocol=4")
    emulator.clock.advance(23 * hours)
    socket.say({ event: "pusher:subscribe", data: { channel: "news" } })
    emulator.clock.advance(23 * hours)
    expect(socket.closed).toBeUndefined()
    emulator.clock.advance(1 * hours)
    expect(socket.closed).toEqual({ code: 4202, reason: "Closed after inactivity" })
  })

  it("a half-open connection stays a member until its ping is not answered, and says nothing meanwhile", () => {
    const emulator = createTestEmulator()
    const [ghost, watcher] = [openSocket(emulator), openSocket(emulator)]
    join(ghost, "presence-room", { user_id: "ghost" })
    join(watcher, "presence-room", { user_id: "watcher" })
    emulator.faults.inject({ kind: "half-open", socketId: ghost.socketId })
    const heard = ghost.frames.length
    ghost.say({ event: "pusher:ping" })
    ghost.hangUp()
    emulator.clock.advance(100 * seconds)
    for (const socket of [ghost, watcher]) socket.say({ event: "pusher:ping" })
    expect(emulator.app().channels.get("presence-room")?.presence?.count).toBe(2)
    emulator.clock.advance(50 * seconds)
    expect(watcher.of("pusher_internal:member_removed")).toHaveLength(1)
    expect([ghost.frames.length, ghost.closed]).toEqual([heard, undefined])
  })

  it("§5l the client event rate is of any one second", () => {
    const emulator = createTestEmulator()
    const [sender, receiver] = [openSocket(emulator), openSocket(emulator)]
    for (const socket of [sender, receiver]) join(socket, "private-room")
    const trigger = (times: number) => {
      for (let count = 0; count < times; count += 1)
        sender.say({ event: "client-typing", channel: "private-room", data: {} })
    }
    trigger(6)
    emulator.clock.advance(600)
    trigger(4)
    emulator.clock.advance(399)
    trigger(1)
    expect(receiver.of("client-typing")).toHaveLength(10)
    expect(sender.of("pusher:error")).toHaveLength(1)
    emulator.clock.advance(1)
    trigger(6)
    expect(receiver.of("client-typing")).toHaveLength(16)
  })

  it("§5l each connection has a rate of its own", () => {
    const emulator = createTestEmulator()
    const [first, second] = [openSocket(emulator), openSocket(emulator)]
    for (const socket of [first, second]) join(socket, "private-room")
    for (let count = 0; count < 10; count += 1)
      for (const socket of [first, second])
        socket.say({ event: "client-typing", channel: "private-room", data: {} })
    for (const socket of [first, second]) {
      expect(socket.of("client-typing")).toHaveLength(10)
      expect(socket.of("pusher:error")).toEqual([])
    }
  })

  it("a reordered frame that nothing overtakes is let go after a second", () => {
    const emulator = createTestEmulator()
    const [sender, receiver] = [openSocket(emulator), openSocket(emulator)]
    for (const socket of [sender, receiver]) join(socket, "private-room")
    emulator.faults.inject({ kind: "reorder" })
    sender.say({ event: "client-typing", channel: "private-room", data: {} })
    emulator.clock.advance(999)
    expect(receiver.of("client-typing")).toHaveLength(0)
    emulator.clock.advance(1)
    expect(receiver.of("client-typing")).toHaveLength(1)
  })

  it("a slow connection keeps its order while frames keep coming", () => {
    const emulator = createTestEmulator()
    const [sender, receiver] = [openSocket(emulator), openSocket(emulator)]
    for (const socket of [sender, receiver]) join(socket, "private-room")
    emulator.faults.inject({ kind: "slow", delayMs: 100, socketId: receiver.socketId, times: 2 })
    for (const data of [1, 2, 3]) {
      sender.say({ event: "client-count", channel: "private-room", data })
      emulator.clock.advance(30)
    }
    const counts = () => receiver.of("client-count").map(({ data }) => data)
    expect(counts()).toEqual([])
    emulator.clock.advance(10)
    expect(counts()).toEqual([1])
    emulator.clock.advance(30)
    expect(counts()).toEqual([1, 2, 3])
  })

  it("messages are counted by the day, published and delivered", () => {
    const emulator = createTestEmulator()
    const [sender, receiver] = [openSocket(emulator), openSocket(emulator)]
    for (const socket of [sender, receiver]) join(socket, "private-room")
    sender.say({ event: "client-typing", channel: "private-room", data: {} })
    expect(emulator.app().messages).toBe(2)
    emulator.clock.advance(24 * hours)
    expect(emulator.app().messages).toBe(0)
  })

  it("§9d a cached event is kept for half an hour", () => {
    const emulator = createTestEmulator()
    emulator.app().cache.set("cache-price", "price", "{}")
    const firstOf = () => {
      const socket = openSocket(emulator)
      socket.say({ event: "pusher:subscribe", data: { channel: "cache-price" } })
      return socket.frames.at(-1)
    }
    emulator.clock.advance(1800 * seconds - 1)
    expect(firstOf()).toEqual({ event: "price", channel: "cache-price", data: "{}" })
    emulator.clock.advance(1)
    expect(firstOf()).toEqual({ event: "pusher:cache_miss", channel: "cache-price" })
  })

  it("§3.5e §11l the threshold is a hundred subscribers, to a webhook too", () => {
    const emulator = createTestEmulator({
      apps: [
        {
          id: "1",
          key: "app-key",
          secret: "app-secret",
          subscriptionCount: true,
          webhooks: [{ url: "http://webhooks.test/", events: ["subscription_count"] }],
        },
      ],
      sendWebhook: async () => 200,
    })
    const sockets = Array.from({ length: 104 }, () => openSocket(emulator))
    for (const socket of sockets) socket.say({ event: "pusher:subscribe", data: { channel: "news" } })
    const told = () =>
      sockets[0]
        ?.of("pusher_internal:subscription_count")
        .map(({ data }) => JSON.parse(String(data)).subscription_count)
    const toldByWebhook = () =>
      emulator
        .app()
        .webhooks.deliveries.flatMap(({ events }) => events)
        .map((event) => "subscription_count" in event && event.subscription_count)
    const upTo101 = Array.from({ length: 101 }, (_, index) => index + 1)
    expect([told(), toldByWebhook()]).toEqual([upTo101, upTo101])
    emulator.clock.advance(5 * seconds - 1)
    expect([told(), toldByWebhook()]).toEqual([upTo101, upTo101])
    emulator.clock.advance(1)
    expect([told(), toldByWebhook()]).toEqual([
      [...upTo101, 104],
      [...upTo101, 104],
    ])
  })

  it("§3.5e above the threshold the count is told at once, then every five seconds while it changes", () => {
    const emulator = createTestEmulator({
      apps: [
        {
          id: "1",
          key: "app-key",
          secret: "app-secret",
          subscriptionCount: true,
          limits: { subscriptionCountThreshold: 2 },
        },
      ],
    })
    const sockets = Array.from({ length: 6 }, () => openSocket(emulator))
    const subscribe = (index: number) =>
      sockets[index]?.say({ event: "pusher:subscribe", data: { channel: "news" } })
    const counts = () =>
      sockets[0]
        ?.of("pusher_internal:subscription_count")
        .map(({ data }) => JSON.parse(String(data)).subscription_count)
    for (const index of [0, 1, 2, 3, 4]) subscribe(index)
    expect(counts()).toEqual([1, 2, 3])
    emulator.clock.advance(5 * seconds)
    expect(counts()).toEqual([1, 2, 3, 5])
    emulator.clock.advance(5 * seconds)
    expect(counts()).toEqual([1, 2, 3, 5])
    subscribe(5)
    expect(counts()).toEqual([1, 2, 3, 5, 6])
  })
})
