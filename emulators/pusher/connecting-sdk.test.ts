import { describe, expect, it } from "vitest"
import { createManualClock } from "./clock.ts"
import { startPusherEmulator } from "./server.ts"
import { onEachService } from "./services.ts"
import { createSdkClient, createTestEmulator, join, openSocket, until } from "./test-clients.ts"

const app = { id: "1", key: "app-key", secret: "app-secret" }

describe("connecting, by the official SDK", () => {
  it("§1.3c a client is connected with a socket id of digits, dot, digits", async () => {
    await using emulator = await startPusherEmulator()
    using client = createSdkClient(emulator)
    await client.connected()
    expect(client.socketId).toMatch(/^\d+\.\d+$/)
    expect([...emulator.app().connections.keys()]).toEqual([client.socketId])
  })

  it.each([
    [4003, { enabled: false }, "Application disabled"],
    [4004, { connectionQuota: 0 }, "Application is over connection quota"],
  ])(
    "§1.3k §1.3l §1.5d §8d §8m §8n %i ends it: the client doesn't come back",
    async (code, settings, message) => {
      await using emulator = await startPusherEmulator({ apps: [{ ...app, ...settings }] })
      using client = createSdkClient(emulator)
      await until(() => client.pusher.connection.state === "disconnected")
      expect(client.errors).toEqual([{ code, message }])
    },
  )

  it("§1.3m §8o 4005 for another path", async () => {
    await using emulator = await startPusherEmulator()
    using client = createSdkClient(emulator, { options: { wsPath: "/elsewhere" } as object })
    await until(() => client.pusher.connection.state === "disconnected")
    expect(client.errors).toEqual([{ code: 4005, message: "Path not found" }])
  })

  it("§8n 4004 is over when another connection ends", async () => {
    await using emulator = await startPusherEmulator({ apps: [{ ...app, connectionQuota: 1 }] })
    const first = createSdkClient(emulator)
    await first.connected()
    using refused = createSdkClient(emulator)
    await until(() => refused.pusher.connection.state === "disconnected")
    first[Symbol.dispose]()
    await until(() => emulator.app().connections.size === 0)
    using second = createSdkClient(emulator)
    await second.connected()
  })

  onEachService("§1.4d the client's ping is answered", async (emulator) => {
    using client = createSdkClient(emulator)
    const events: string[] = []
    client.pusher.connection.bind("message", ({ event }: { event: string }) => events.push(event))
    await client.connected()
    client.pusher.send_event("pusher:ping", {})
    await until(() => events.includes("pusher:pong"))
  })

  it("close frees the port and ends the clients' sockets, however often it is called", async () => {
    const emulator = await startPusherEmulator()
    using client = createSdkClient(emulator)
    await client.connected()
    await Promise.all([emulator.close(), emulator.close()])
    await until(() => client.pusher.connection.state === "connecting")
    client.pusher.disconnect()
    await using again = await startPusherEmulator({ port: emulator.port })
    using next = createSdkClient(again)
    await next.connected()
  })
})

describe("connecting, by a bare socket", () => {
  it.each([
    [
      4001,
      "/app/unknown?protocol=7",
      "App key unknown not in this cluster. Did you forget to specify the cluster?",
    ],
    [4005, "/apps/app-key?protocol=7", "Path not found"],
    [4005, "/", "Path not found"],
    [4006, "/app/app-key?protocol=7&version=one", "Invalid version string format"],
    [4007, "/app/app-key?protocol=3", "Unsupported protocol version"],
    [4007, "/app/app-key?protocol=8", "Unsupported protocol version"],
    [4007, "/app/app-key?protocol=seven", "Unsupported protocol version"],
    [4008, "/app/app-key?client=js", "No protocol version supplied"],
  ])("§1.3g §1.3h §1.3i §1.3j §1.3m §8j §8l §8o §8p §8q §8r is closed with %i at %s", (code, url, reason) => {
    const socket = openSocket(createTestEmulator(), url)
    expect(socket.closed).toEqual({ code, reason })
    expect(socket.frames).toEqual([])
  })

  it.each(["8.6.0", "8.6.0-beta.1", "1.9", "4.4.0+build"])("§1.3i accepts the version %s", (version) => {
    const socket = openSocket(
      createTestEmulator(),
      `/app/app-key?protocol=7&client=js&version=${encodeURIComponent(version)}&flash=false`,
    )
    expect(socket.closed).toBeUndefined()
  })

  it("§1.3n §8k 4000 for a plain socket of an app that wants TLS", () => {
    const emulator = createTestEmulator({ apps: [{ ...app, forceTLS: true }] })
    expect(openSocket(emulator).closed).toMatchObject({ code: 4000 })
    expect(openSocket(emulator, "/app/app-key?protocol=7", true).closed).toBeUndefined()
  })

  it("§1.3a §1.3b protocol 7 is told the activity timeout, an older one isn't", () => {
    const emulator = createTestEmulator({ apps: [{ ...app, activityTimeout: 60 }] })
    const told = (url: string) => JSON.parse(String(openSocket(emulator, url).frames[0]?.data))
    expect(told("/app/app-key?protocol=7")).toEqual({ socket_id: expect.any(String), activity_timeout: 60 })
    expect(told("/app/app-key?protocol=6")).toEqual({ socket_id: expect.any(String) })
  })

  it("§8j before protocol 6 a fatal error comes as an event too", () => {
    const emulator = createTestEmulator()
    const socket = openSocket(emulator, "/app/app-key?protocol=5")
    emulator.faults.inject({ kind: "close", code: 4200 })
    expect(socket.frames.at(-1)).toEqual({
      event: "pusher:error",
      data: { code: 4200, message: "Generic reconnect immediately" },
    })
    expect(socket.closed).toEqual({ code: 4200, reason: "Generic reconnect immediately" })
  })

  it("§7o §7p §8s with authorized connections, who doesn't authorize in time is closed with 4009", () => {
    const emulator = createTestEmulator({ apps: [{ ...app, authorizedConnections: true }] })
    const idle = openSocket(emulator)
    idle.say({ event: "pusher:subscribe", data: { channel: "news" } })
    const authorized = openSocket(emulator)
    join(authorized, "private-room")
    emulator.clock.advance(30_000)
    expect(idle.closed).toEqual({ code: 4009, reason: "Connection not authorized within timeout" })
    expect(authorized.closed).toBeUndefined()
  })

  it("§7p signing in authorizes a connection as well", async () => {
    const clock = createManualClock(Date.now())
    const settings = { ...app, authorizedConnections: true }
    await using emulator = await startPusherEmulator({ clock, apps: [settings] })
    using user = createSdkClient(emulator, { user: { id: "ann" } })
    using stranger = createSdkClient(emulator)
    user.pusher.signin()
    await stranger.subscribe("news")
    await until(() => emulator.app().users.connectionsOf("ann").length === 1)
    clock.advance(30_000)
    await until(() => stranger.pusher.connection.state === "disconnected")
    expect(stranger.errors[0]?.code).toBe(4009)
    await user.subscribe("news")
  })

  it("§8n with authorized connections, only those count towards the quota", () => {
    const emulator = createTestEmulator({
      apps: [{ ...app, authorizedConnections: true, connectionQuota: 1 }],
    })
    const [first, second] = [openSocket(emulator), openSocket(emulator)]
    join(first, "private-room")
    join(second, "private-room")
    expect(first.closed).toBeUndefined()
    expect(second.closed).toMatchObject({ code: 4004 })
  })

  it("§7l §8n who is over the quota when they sign in was never online", async () => {
    const settings = { ...app, authorizedConnections: true, connectionQuota: 1 }
    await using emulator = await startPusherEmulator({ apps: [settings] })
    using bob = createSdkClient(emulator, { user: { id: "bob" } })
    await bob.connected()
    using ann = createSdkClient(emulator, { user: { id: "ann", watchlist: ["bob"] } })
    const seen: string[] = []
    for (const name of ["online", "offline"]) ann.pusher.user.watchlist.bind(name, () => seen.push(name))
    ann.pusher.signin()
    await until(() => seen.length === 1)
    bob.pusher.signin()
    await until(() => bob.pusher.connection.state === "disconnected")
    expect(bob.errors[0]?.code).toBe(4004)
    await ann.subscribe("news")
    expect(seen).toEqual(["offline"])
  })

  it("the same seed makes the same socket ids", () => {
    const ids = (seed: number) => [1, 2, 3].map(() => openSocket(createTestEmulator({ seed })).socketId)
    expect(new Set(ids(5)).size).toBe(1)
    expect(ids(5)).not.toEqual(ids(6))
  })
})
