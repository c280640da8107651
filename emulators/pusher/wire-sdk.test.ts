import PusherJs from "pusher-js"
import { describe, expect, it, vi } from "vitest"
import { WebSocket } from "ws"
import { startPusherEmulator } from "./server.ts"
import { onEachService } from "./services.ts"
import {
  createSdkClient,
  createServerLibrary,
  type Frame,
  record,
  tapSockets,
  until,
} from "./test-clients.ts"

const app = { id: "1", key: "app-key", secret: "app-secret" }

describe("what passes between the official SDK and the service", () => {
  it("§1.1a the client asks for the key's path, with its protocol and version", async () => {
    using tap = tapSockets()
    await using emulator = await startPusherEmulator()
    using client = createSdkClient(emulator)
    await client.connected()
    const url = new URL(tap.urls[0] ?? "")
    expect([tap.urls.length, url.host, url.pathname]).toEqual([
      1,
      `127.0.0.1:${emulator.port}`,
      "/app/app-key",
    ])
    const version = expect.stringMatching(/^8\.\d+\.\d+$/)
    const expected = { protocol: "7", client: "js", version, flash: "false" }
    expect(Object.fromEntries(url.searchParams)).toEqual(expected)
  })

  it("§1.1a `wsPath` comes before the path", async () => {
    using tap = tapSockets()
    await using emulator = await startPusherEmulator()
    using client = createSdkClient(emulator, { options: { wsPath: "/behind/a/proxy" } })
    await until(() => client.errors.length === 1)
    expect(new URL(tap.urls[0] ?? "").pathname).toBe("/behind/a/proxy/app/app-key")
  })

  it("§1.1c the client insists on a cluster, which the emulator's options name", async () => {
    await using emulator = await startPusherEmulator()
    const { cluster, ...others } = emulator.clientOptions()
    expect(cluster).not.toBe("")
    expect(() => new PusherJs("app-key", others as never)).toThrow("must provide a cluster")
  })

  it("§1.1e with the emulator's options a client that is refused tries nothing but WebSocket", async () => {
    using tap = tapSockets()
    const createXHR = vi.spyOn(PusherJs.Runtime, "createXHR")
    await using emulator = await startPusherEmulator()
    emulator.faults.inject({ kind: "close", on: "connect", code: 4200, times: 3 })
    using client = createSdkClient(emulator)
    await client.connected()
    expect(tap.urls).toHaveLength(4)
    expect(createXHR).not.toHaveBeenCalled()
    createXHR.mockRestore()
  })

  it("§1.1g the Node build connects where no global WebSocket or fetch works", async () => {
    const none = () => {
      throw new Error("this is not to be called")
    }
    await using emulator = await startPusherEmulator()
    vi.stubGlobal("WebSocket", none)
    vi.stubGlobal("fetch", none)
    try {
      using client = createSdkClient(emulator)
      await client.subscribe("private-room")
    } finally {
      vi.unstubAllGlobals()
    }
  })

  it("§1.2a §1.2c every frame is text of one JSON object; the data of the protocol's events is encoded twice", async () => {
    using tap = tapSockets()
    await using emulator = await startPusherEmulator({ apps: [{ ...app, subscriptionCount: true }] })
    using client = createSdkClient(emulator, {
      member: { user_id: "ann" },
      user: { id: "ann", watchlist: ["bob"] },
    })
    using other = createSdkClient(emulator, { member: { user_id: "bob" } })
    const channel = await client.subscribe("presence-room")
    await client.subscribe("news")
    await client.subscribe("cache-news")
    client.pusher.signin()
    client.pusher.send_event("pusher:ping", {})
    await other.subscribe("presence-room")
    channel.trigger("client-typing", {})
    await createServerLibrary(emulator).trigger("news", "event", {})
    await until(
      () =>
        ["client-typing", "event", "pusher:pong"].every((event) => tap.receivedOf(event).length > 0) &&
        tap.receivedOf("pusher_internal:watchlist_events").length > 0,
    )

    expect(tap.received.every((text) => typeof text === "string")).toBe(true)
    const frames = tap.received.map((text): Frame => JSON.parse(String(text)))
    const members = new Set(frames.flatMap((frame) => Object.keys(frame)))
    expect([...members].sort()).toEqual(["channel", "data", "event", "user_id"])

    const ofProtocol = frames.filter(({ event }) => /^pusher(_internal)?:/.test(event))
    expect(new Set(ofProtocol.map(({ event }) => event))).toEqual(
      new Set([
        "pusher:connection_established",
        "pusher:pong",
        "pusher:signin_success",
        "pusher:cache_miss",
        "pusher_internal:subscription_succeeded",
        "pusher_internal:subscription_count",
        "pusher_internal:member_added",
        "pusher_internal:watchlist_events",
      ]),
    )
    for (const { event, data } of ofProtocol) {
      if (event === "pusher:cache_miss") continue
      expect(JSON.parse(data as string)).toBeTypeOf("object")
    }
  })

  onEachService(
    "§1.2d §1.2e §10.2p data is the publisher's string in the frame, and parsed by the client if it is JSON",
    async (emulator) => {
      using tap = tapSockets()
      const library = createServerLibrary(emulator)
      using client = createSdkClient(emulator)
      const received = record(await client.subscribe("news"))
      for (const data of [{ a: [1, "ä"] }, "text", '{ "spaced" : 1 }', 7, null])
        await library.trigger("news", "event", data)
      await until(() => received.length === 5)
      expect(tap.receivedOf("event").map(({ data }) => data)).toEqual([
        '{"a":[1,"ä"]}',
        "text",
        '{ "spaced" : 1 }',
        "7",
        "null",
      ])
      expect(received.map(({ data }) => data)).toEqual([{ a: [1, "ä"] }, "text", { spaced: 1 }, 7, null])
    },
  )

  onEachService("§1.2f §5k data that is an object is taken as it is", async (emulator) => {
    using tap = tapSockets()
    using sender = createSdkClient(emulator)
    using receiver = createSdkClient(emulator)
    const channel = await sender.subscribe("private-room")
    const received = record(await receiver.subscribe("private-room"))
    channel.trigger("client-typing", { is: true })
    await until(() => received.length === 1)
    expect(tap.receivedOf("client-typing")).toEqual([
      { event: "client-typing", channel: "private-room", data: { is: true } },
    ])
    expect(received).toEqual([{ event: "client-typing", data: { is: true } }])
  })

  onEachService("§1.2g what the client says has its data encoded once", async (emulator) => {
    using tap = tapSockets()
    using client = createSdkClient(emulator, { user: { id: "ann" } })
    const channel = await client.subscribe("private-room")
    client.pusher.signin()
    channel.trigger("client-typing", {})
    client.pusher.unsubscribe("private-room")
    await until(() => tap.sentOf("pusher:subscribe").length === 2)
    expect(new Set(tap.sent.map(({ event }) => event))).toEqual(
      new Set(["pusher:subscribe", "pusher:signin", "client-typing", "pusher:unsubscribe"]),
    )
    for (const { data } of tap.sent) expect(data).toBeTypeOf("object")
  })

  onEachService(
    "§1.2h a user_id is in the frame of a presence channel, and no such member elsewhere",
    async (emulator) => {
      using tap = tapSockets()
      using sender = createSdkClient(emulator, { member: { user_id: "ann" } })
      using receiver = createSdkClient(emulator, { member: { user_id: "bob" } })
      const told: unknown[] = []
      for (const name of ["presence-room", "private-room"]) {
        const channel = await sender.subscribe(name)
        const there = await receiver.subscribe(name)
        there.bind("client-typing", (_data: unknown, metadata: object) => told.push(metadata))
        channel.trigger("client-typing", {})
      }
      await until(() => told.length === 2)
      expect(told).toEqual([{ user_id: "ann" }, {}])
      const [inPresence, inPrivate] = tap.receivedOf("client-typing")
      expect(inPresence).toMatchObject({ channel: "presence-room", user_id: "ann" })
      expect(Object.keys(inPrivate ?? {})).toEqual(["event", "channel", "data"])
    },
  )

  onEachService(
    "§3.1a §3.1b §3.1c §3.6e the subscription of each type of channel says what its authorization says, and no more",
    async (emulator) => {
      using tap = tapSockets()
      using client = createSdkClient(emulator, { member: { user_id: "ann" } })
      for (const name of ["news", "private-news", "presence-news"]) await client.subscribe(name)
      const auth = expect.stringMatching(new RegExp(`^${emulator.app().key}:[0-9a-f]{64}$`))
      expect(tap.sentOf("pusher:subscribe").map(({ data }) => data)).toEqual([
        { channel: "news", auth: "" },
        { channel: "private-news", auth },
        { channel: "presence-news", auth, channel_data: '{"user_id":"ann"}' },
      ])
      const [publicOne] = tap.sentOf("pusher:subscribe")
      expect(Object.keys(publicOne?.data as object)).not.toContain("channel_data")
    },
  )

  it("§3.2a §3.2b the confirmation is told as pusher:subscription_succeeded, and only then is the channel subscribed", async () => {
    using tap = tapSockets()
    await using emulator = await startPusherEmulator()
    using client = createSdkClient(emulator)
    await client.connected()
    const lost = emulator.faults.inject({
      kind: "drop",
      event: "pusher_internal:subscription_succeeded",
      channel: "lost",
    })
    const unconfirmed = client.pusher.subscribe("lost")
    const channel = client.pusher.subscribe("news")
    const seen: unknown[] = []
    channel.bind("pusher:subscription_succeeded", (data: unknown) => seen.push(channel.subscribed, data))
    expect(channel.subscribed).toBe(false)
    await until(() => seen.length > 0)
    expect(seen).toEqual([true, {}])
    expect(tap.receivedOf("pusher_internal:subscription_succeeded")).toEqual([
      { event: "pusher_internal:subscription_succeeded", channel: "news", data: "{}" },
    ])
    expect([lost.hits, unconfirmed.subscribed]).toEqual([1, false])
  })

  it("§3.2c a subscription that is cancelled is confirmed all the same; the client unsubscribes", async () => {
    using tap = tapSockets()
    await using emulator = await startPusherEmulator()
    using client = createSdkClient(emulator)
    await client.connected()
    client.pusher.subscribe("news")
    client.pusher.unsubscribe("news")
    await until(() => tap.sentOf("pusher:unsubscribe").length === 1)
    expect(tap.receivedOf("pusher_internal:subscription_succeeded")).toHaveLength(1)
    await until(() => emulator.app().channels.get("news") === undefined)
  })

  onEachService("§3.2d a change of mind, and another, ends subscribed", async (emulator) => {
    using client = createSdkClient(emulator)
    await client.connected()
    client.pusher.subscribe("news")
    client.pusher.unsubscribe("news")
    const received = record(await client.subscribe("news"))
    await createServerLibrary(emulator).trigger("news", "event", {})
    await until(() => received.some(({ event }) => event === "event"))
    expect(client.errors).toEqual([])
  })

  it("§3.3b the client goes on waiting for what the service has refused", async () => {
    await using emulator = await startPusherEmulator()
    emulator.faults.inject({ kind: "refuse-subscription", channel: "news" })
    using client = createSdkClient(emulator)
    const channel = client.pusher.subscribe("news")
    const received = record(channel)
    await until(() => received.length === 1)
    expect(received[0]?.event).toBe("pusher:subscription_error")
    expect([channel.subscriptionPending, channel.subscribed]).toEqual([true, false])
  })

  it("§2e the client itself refuses a name that begins with #", async () => {
    await using emulator = await startPusherEmulator()
    using client = createSdkClient(emulator)
    await client.connected()
    expect(() => client.pusher.subscribe("#room")).toThrow('Cannot create a channel with name "#room"')
  })

  it("§5a §5b the client refuses a name without its prefix, and sends before it is subscribed", async () => {
    using tap = tapSockets()
    await using emulator = await startPusherEmulator()
    using client = createSdkClient(emulator)
    await client.connected()
    const channel = client.pusher.subscribe("private-room")
    expect(() => channel.trigger("typing", {})).toThrow("does not start with 'client-'")
    expect(channel.trigger("client-typing", {})).toBe(true)
    await until(() => tap.sentOf("client-typing").length === 1)
    expect(tap.sentOf("typing")).toEqual([])
  })

  it("§4j the removal of a member that the client doesn't know is silent", async () => {
    using tap = tapSockets()
    await using emulator = await startPusherEmulator()
    using ann = createSdkClient(emulator, { member: { user_id: "ann" } })
    using bob = createSdkClient(emulator, { member: { user_id: "bob" } })
    const received = record(await ann.subscribe("presence-room"))
    emulator.faults.inject({ kind: "drop", event: "pusher_internal:member_added", times: 1 })
    await bob.subscribe("presence-room")
    bob.pusher.unsubscribe("presence-room")
    await until(() => tap.receivedOf("pusher_internal:member_removed").length === 1)
    await createServerLibrary(emulator).trigger("presence-room", "last", {})
    await until(() => received.length > 0)
    expect(received.map(({ event }) => event)).toEqual(["last"])
  })

  it("§7b §7c a sign-in is said with the library's answer, and confirmed with the same user_data", async () => {
    using tap = tapSockets()
    await using emulator = await startPusherEmulator()
    const user = { id: "ann", user_info: { name: "Ann" } }
    using client = createSdkClient(emulator, { user })
    client.pusher.signin()
    await until(() => client.pusher.user.user_data)
    const answer = createServerLibrary(emulator).authenticateUser(client.socketId, user)
    expect(tap.sentOf("pusher:signin")).toEqual([{ event: "pusher:signin", data: answer }])
    const [success] = tap.receivedOf("pusher:signin_success")
    expect(JSON.parse(String(success?.data))).toEqual({ user_data: answer.user_data })
    expect(client.pusher.user.user_data).toEqual(user)
  })

  it("§7e the user's own channel is subscribed to without a signature, and confirmed", async () => {
    using tap = tapSockets()
    await using emulator = await startPusherEmulator()
    using client = createSdkClient(emulator, { user: { id: "ann" } })
    client.pusher.signin()
    const channel = "#server-to-user-ann"
    await until(() => tap.receivedOf("pusher_internal:subscription_succeeded").length === 1)
    expect(tap.sentOf("pusher:subscribe")).toEqual([
      { event: "pusher:subscribe", data: { channel, auth: "" } },
    ])
    expect(tap.receivedOf("pusher_internal:subscription_succeeded")).toMatchObject([{ channel }])
  })

  it("§7m a watchlist's frame has no channel", async () => {
    using tap = tapSockets()
    await using emulator = await startPusherEmulator()
    using client = createSdkClient(emulator, { user: { id: "ann", watchlist: ["bob"] } })
    client.pusher.signin()
    await until(() => tap.receivedOf("pusher_internal:watchlist_events").length === 1)
    expect(tap.receivedOf("pusher_internal:watchlist_events")).toEqual([
      {
        event: "pusher_internal:watchlist_events",
        data: '{"events":[{"name":"offline","user_ids":["bob"]}]}',
      },
    ])
  })
})

describe("what a bare WebSocket sees", () => {
  it("§1.3o whoever is refused has been accepted first", async () => {
    await using emulator = await startPusherEmulator()
    const seen: string[] = []
    const socket = new WebSocket(`ws://${emulator.host}:${emulator.port}/app/nobody?protocol=7`)
    socket.on("open", () => seen.push("open"))
    socket.on("message", () => seen.push("message"))
    socket.on("close", (code) => seen.push(`close ${code}`))
    await until(() => seen.length === 2)
    expect(seen).toEqual(["open", "close 4001"])
  })

  it("§1.4f a ping of WebSocket itself is answered", async () => {
    await using emulator = await startPusherEmulator()
    const socket = new WebSocket(`ws://${emulator.host}:${emulator.port}/app/app-key?protocol=7`)
    const pongs: string[] = []
    socket.on("open", () => socket.ping("hello"))
    socket.on("pong", (data) => pongs.push(String(data)))
    await until(() => pongs.length === 1)
    expect(pongs).toEqual(["hello"])
    socket.terminate()
  })

  it.each([
    ["https://example.com", undefined],
    ["https://preview-1.example.dev", undefined],
    ["https://example.org", 4009],
    [undefined, 4009],
  ])("from the origin %s, of an app that allows two, it is closed with %s", async (origin, code) => {
    const allowedOrigins = ["https://example.com", "https://preview-*"]
    await using emulator = await startPusherEmulator({ apps: [{ ...app, allowedOrigins }] })
    const seen: unknown[] = []
    const socket = new WebSocket(`ws://${emulator.host}:${emulator.port}/app/app-key?protocol=7`, { origin })
    socket.on("message", () => seen.push(undefined))
    socket.on("close", (closeCode, reason) => seen.push(`${closeCode} ${reason}`))
    await until(() => seen.length > 0)
    expect(seen[0]).toBe(code && `${code} Origin not allowed`)
    socket.terminate()
  })
})
