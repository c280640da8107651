import type { Channel } from "pusher-js"
import { describe, expect, it } from "vitest"
import { createManualClock } from "./clock.ts"
import { startPusherEmulator } from "./server.ts"
import { createSdkClient, type SdkClient, tapSockets, until } from "./test-clients.ts"

const app = { id: "1", key: "app-key", secret: "app-secret" }

/** The client's states from now on. */
function watchStates({ pusher }: SdkClient): string[] {
  const states: string[] = []
  pusher.connection.bind("state_change", ({ current }: { current: string }) => states.push(current))
  return states
}

/** How long the client has waited before it tried again, by its own log, in milliseconds. */
function retriesOf({ pusher }: SdkClient): number[] {
  return pusher.timeline.events.filter(({ action }) => action === "retry").map(({ delay }) => delay)
}

describe("the client's states", () => {
  it("§1.5a §1.5d it goes by connecting to connected, and to disconnected when its user wants it", async () => {
    await using emulator = await startPusherEmulator()
    using client = createSdkClient(emulator)
    expect(client.pusher.connection.state).toBe("connecting")
    const states = watchStates(client)
    await client.connected()
    client.pusher.disconnect()
    expect(states).toEqual(["connected", "disconnected"])
    await until(() => emulator.app().connections.size === 0)
    const changes: unknown[] = []
    client.pusher.connection.bind("state_change", (change: object) => changes.push(change))
    client.pusher.connect()
    await client.connected()
    expect(changes).toEqual([
      { previous: "disconnected", current: "connecting" },
      { previous: "connecting", current: "connected" },
    ])
  })

  it("§1.5b it is unavailable while nothing answers", async () => {
    await using emulator = await startPusherEmulator()
    emulator.faults.inject({ kind: "half-open", on: "connect" })
    using client = createSdkClient(emulator, { options: { unavailableTimeout: 20 } })
    await until(() => client.pusher.connection.state === "unavailable")
  })

  it("§1.5c it has failed without a transport", async () => {
    await using emulator = await startPusherEmulator()
    using client = createSdkClient(emulator, { options: { enabledTransports: [] } })
    expect(client.pusher.connection.state).toBe("failed")
  })

  it("§1.5e §1.5f after a cut no channel is subscribed, until each is authorized for the new socket id", async () => {
    using tap = tapSockets()
    await using emulator = await startPusherEmulator()
    using client = createSdkClient(emulator, { member: { user_id: "ann" } })
    const channels: Channel[] = []
    for (const name of ["news", "private-news", "presence-news"]) channels.push(await client.subscribe(name))
    const before = client.socketId
    const subscribed: boolean[] = []
    client.pusher.connection.bind("connecting", () =>
      subscribed.push(...channels.map((one) => one.subscribed)),
    )
    emulator.dropConnections()
    await until(() => client.socketId !== before && channels.every((one) => one.subscribed))
    expect(subscribed).toEqual([false, false, false])
    const [, first, , , second] = tap.sentOf("pusher:subscribe").map(({ data }) => data as { auth: string })
    expect(first?.auth).toMatch(/^app-key:/)
    expect(second?.auth).toMatch(/^app-key:/)
    expect(first?.auth).not.toBe(second?.auth)
  })
})

describe.concurrent("what the client makes of a close", () => {
  /** The end of any socket means a second; the codes add what they mean, and the first to come wins. */
  const second = 1_000

  it.each([1000, 1001])(
    "§1.5g after a close with %i it tries again in a second, and tells no error",
    async (code) => {
      const { states, retries, errors } = await close(code)
      expect([states, retries, errors]).toEqual([["connecting", "connected"], [second], []])
    },
  )

  it("§1.5g after a cut, which is 1006, it tries again in a second", async () => {
    await using emulator = await startPusherEmulator()
    using client = createSdkClient(emulator)
    await client.connected()
    const states = watchStates(client)
    emulator.dropConnections()
    await until(() => states.includes("connected"))
    expect([states, retriesOf(client)]).toEqual([["connecting", "connected"], [second]])
    expect(client.errors).toMatchObject([{ code: 1006 }])
  })

  it.each([1008, 3000, 3999])("§8b after %i it tries again in a second", async (code) => {
    const { states, retries } = await close(code)
    expect([states, retries]).toEqual([["connecting", "connected"], [second]])
  })

  it.each([1002, 1003])("§8a after %i it backs off", async (code) => {
    const { states, retries } = await close(code)
    expect([states, retries]).toEqual([
      ["connecting", "connected"],
      [second, second],
    ])
  })

  it.each([4001, 4009, 4099])("§8d after %i it is disconnected", async (code) => {
    expect(await close(code)).toMatchObject({ states: ["disconnected"], retries: [] })
  })

  it.each([4100, 4199])("§8e after %i it is back after a second", async (code) => {
    const { states, retries } = await close(code)
    expect([states, retries]).toEqual([
      ["connecting", "connected"],
      [second, second],
    ])
  })

  it.each([4200, 4202, 4299])("§8f after %i it is back at once", async (code) => {
    const { states, retries } = await close(code)
    expect([states, retries]).toEqual([
      ["connecting", "connected"],
      [0, second],
    ])
  })

  it.each([4300, 4999])("§8g after %i it is disconnected", async (code) => {
    expect(await close(code)).toMatchObject({ states: ["disconnected"], retries: [] })
  })
})

describe("what the client tells of an error", () => {
  it.each([
    [4100, "Over capacity"],
    [4200, "Generic reconnect immediately"],
  ])(
    "§8h §8j §8t §8u %i is told with the close's reason, before anything else happens",
    async (code, message) => {
      using tap = tapSockets()
      await using emulator = await startPusherEmulator()
      using client = createSdkClient(emulator)
      await client.connected()
      const seen: unknown[] = []
      client.pusher.connection.bind("error", (error: unknown) => seen.push(error))
      client.pusher.connection.bind("state_change", ({ current }: { current: string }) => seen.push(current))
      emulator.faults.inject({ kind: "close", code })
      await until(() => seen.includes("connected"))
      const error = { type: "PusherError", data: { code, message } }
      expect(seen).toEqual([error, { type: "WebSocketError", error }, "connecting", "connected"])
      expect(tap.receivedOf("pusher:error")).toEqual([])
    },
  )

  it("§8i a pusher:error while connected is told as it is and changes no state", async () => {
    await using emulator = await startPusherEmulator()
    using client = createSdkClient(emulator)
    await client.connected()
    const seen: unknown[] = []
    client.pusher.connection.bind("error", (error: unknown) => seen.push(error))
    const states = watchStates(client)
    emulator.faults.inject({ kind: "error", code: 4301, message: "by a fault" })
    await until(() => seen.length === 1)
    expect(seen).toEqual([{ type: "PusherError", data: { code: 4301, message: "by a fault" } }])
    await client.subscribe("news")
    expect(states).toEqual([])
  })

  it("§1.3d a pusher:error as the first frame is taken for a close with its code", async () => {
    await using emulator = await startPusherEmulator()
    emulator.faults.inject({ kind: "error", on: "connect", code: 4001, message: "by a fault" })
    using client = createSdkClient(emulator)
    const states = watchStates(client)
    await until(() => client.pusher.connection.state === "disconnected")
    expect(states).toEqual(["disconnected"])
    expect(client.errors).toEqual([{ code: 4001, message: "by a fault" }])
  })

  it("§1.3e anything else as the first frame is a handshake error", async () => {
    const clock = createManualClock(Date.now())
    await using emulator = await startPusherEmulator({ clock })
    const lost = emulator.faults.inject({ kind: "drop", event: "pusher:connection_established" })
    using client = createSdkClient(emulator)
    const errors: unknown[] = []
    client.pusher.connection.bind("error", (error: unknown) => errors.push(error))
    await until(() => lost.hits === 1)
    // The service's ping comes first now.
    clock.advance(120_000)
    await until(() => errors.length === 1)
    expect(errors).toEqual([{ type: "HandshakeError", error: "Invalid handshake" }])
    await until(() => emulator.app().connections.size === 0)
  })
})

describe("liveness, as the client keeps it", () => {
  it.each([
    ["its own, if that is the lesser", 120, { activityTimeout: 200 }],
    ["the service's, if that is the lesser", 1, {}],
  ])(
    "§1.3f §1.4a §1.4c it pings by an event after a timeout: %s",
    async (_which, activityTimeout, options) => {
      using tap = tapSockets()
      // The clock stands still, so that the service doesn't ping first.
      const clock = createManualClock(Date.now())
      await using emulator = await startPusherEmulator({ clock, apps: [{ ...app, activityTimeout }] })
      using client = createSdkClient(emulator, { options })
      await client.connected()
      await until(() => tap.receivedOf("pusher:pong").length > 0)
      expect(tap.sentOf("pusher:ping")[0]).toEqual({ event: "pusher:ping", data: {} })
    },
  )

  it("§1.4b without an answer to its ping it drops the socket and comes back at once", async () => {
    await using emulator = await startPusherEmulator()
    using client = createSdkClient(emulator, { options: { activityTimeout: 200, pongTimeout: 1_000 } })
    await client.connected()
    const states = watchStates(client)
    emulator.faults.inject({ kind: "half-open", socketId: client.socketId })
    await until(() => states.includes("connected"))
    expect(retriesOf(client)).toEqual([0])
  })

  it("§1.4e it answers the service's ping, and stays connected", async () => {
    using tap = tapSockets()
    const clock = createManualClock(Date.now())
    await using emulator = await startPusherEmulator({ clock })
    using client = createSdkClient(emulator)
    await client.connected()
    const pong = emulator.faults.inject({
      kind: "drop",
      direction: "from-client",
      event: "pusher:pong",
      times: 1,
    })
    clock.advance(120_000)
    await until(() => pong.hits === 1)
    expect(tap.sentOf("pusher:pong")).toEqual([{ event: "pusher:pong", data: {} }])
    clock.advance(30_000)
    expect(emulator.app().connections.size).toBe(1)
  })
})

/** Connects, is closed, and comes to rest. */
async function close(code: number) {
  await using emulator = await startPusherEmulator()
  using client = createSdkClient(emulator)
  await client.connected()
  const states = watchStates(client)
  emulator.faults.inject({ kind: "close", code })
  await until(() => states.includes("connected") || states.includes("disconnected"))
  return { states: [...states], retries: retriesOf(client), errors: client.errors }
}
