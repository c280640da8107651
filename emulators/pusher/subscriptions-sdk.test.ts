import { describe, expect, it } from "vitest"
import { startPusherEmulator } from "./server.ts"
import { onEachService } from "./services.ts"
import { createSdkClient, createServerLibrary, record, until } from "./test-clients.ts"

describe("subscriptions, by the official SDKs", () => {
  it.each(["news", "private-news", "private-encrypted-news"])(
    "§2d §6b a subscription to %s is confirmed and its events arrive",
    async (name) => {
      await using emulator = await startPusherEmulator()
      const key = Buffer.alloc(32, 1).toString("base64")
      const library = createServerLibrary(emulator, undefined, { encryptionMasterKeyBase64: key })
      using client = createSdkClient(emulator, {
        options: {
          channelAuthorization: {
            customHandler: ({ socketId, channelName }, callback) =>
              callback(null, library.authorizeChannel(socketId, channelName)),
          },
        },
      })
      const received = record(await client.subscribe(name))
      await library.trigger(name, "greeting", { hello: "world" })
      await until(() => received.length === 1)
      expect(received).toEqual([{ event: "greeting", data: { hello: "world" } }])
    },
  )

  onEachService(
    "§1.2e §10.2p data is passed on as it was sent: text that is not JSON, JSON with its own spelling",
    async (emulator) => {
      const library = createServerLibrary(emulator)
      using client = createSdkClient(emulator)
      const raw: string[] = []
      await client.subscribe("news")
      client.pusher.connection.bind("message", (message: { data: unknown }) =>
        raw.push(JSON.stringify(message.data)),
      )
      await library.trigger("news", "text", "not JSON")
      await library.trigger("news", "number", "007")
      await until(() => raw.length === 2)
      expect(raw).toEqual(['"not JSON"', '"007"'])
    },
  )

  it("§3.6d channel data is part of the signature of a private channel too", async () => {
    await using emulator = await startPusherEmulator()
    const library = createServerLibrary(emulator)
    using client = createSdkClient(emulator, {
      options: {
        channelAuthorization: {
          customHandler: ({ socketId, channelName }, callback) =>
            callback(null, library.authorizeChannel(socketId, channelName, { user_id: socketId })),
        },
      },
    })
    await client.subscribe("private-news")
  })

  it.each([
    ["a wrong signature", "app-key:00", "Invalid signature: Expected HMAC SHA256 hex digest of"],
    ["another app's key", "other-key:00", "Invalid key in subscription auth data: 'other-key'"],
    ["no signature", "", "Auth info required to subscribe to private-news"],
  ])(
    "§2a §3.3a §3.3d §3.6e %s is told to the channel as pusher:subscription_error with 401, and the connection stays",
    async (_what, auth, error) => {
      await using emulator = await startPusherEmulator()
      using client = createSdkClient(emulator, {
        options: {
          channelAuthorization: { customHandler: (_request, callback) => callback(null, { auth }) },
        },
      })
      const channel = client.pusher.subscribe("private-news")
      const received = record(channel)
      await until(() => received.length === 1)
      expect(received[0]).toEqual({
        event: "pusher:subscription_error",
        data: { type: "AuthError", error: expect.stringContaining(error), status: 401 },
      })
      expect(channel.subscribed).toBe(false)
      expect(client.errors).toEqual([])
      await client.subscribe("news")
    },
  )

  it("§3.3d as the hosted service says it, a refusal reaches the connection and not the channel, and the connection stays", async () => {
    await using emulator = await startPusherEmulator({
      apps: [{ id: "1", key: "app-key", secret: "app-secret", subscriptionErrors: "pusher:error" }],
    })
    using client = createSdkClient(emulator, {
      options: {
        channelAuthorization: { customHandler: (_, callback) => callback(null, { auth: "app-key:00" }) },
      },
    })
    const channel = client.pusher.subscribe("private-news")
    const received = record(channel)
    await until(() => client.errors.length === 1)
    const message = expect.stringContaining("Invalid signature")
    expect(client.errors).toEqual([{ code: null, message }])
    await client.subscribe("news")
    expect([received, channel.subscribed]).toEqual([[], false])
  })

  it("§3.4c after unsubscribing nothing arrives, and subscribing again works", async () => {
    await using emulator = await startPusherEmulator()
    const library = createServerLibrary(emulator)
    using client = createSdkClient(emulator)
    await client.subscribe("news")
    client.pusher.unsubscribe("news")
    await until(() => emulator.app().channels.occupied().length === 0)
    await library.trigger("news", "missed", {})
    const received = record(await client.subscribe("news"))
    await library.trigger("news", "seen", {})
    await until(() => received.length > 0)
    expect(received).toEqual([{ event: "seen", data: {} }])
  })

  it("§3.2c a subscription that is cancelled before its confirmation leaves the channel", async () => {
    await using emulator = await startPusherEmulator()
    using client = createSdkClient(emulator)
    await client.connected()
    client.pusher.subscribe("news")
    client.pusher.unsubscribe("news")
    // The service reads in order: once it has this one, it has had the other.
    await client.subscribe("marker")
    await until(() => emulator.app().channels.get("news") === undefined)
    expect(client.errors).toEqual([])
  })

  it("§3.5a §3.5b §3.5c the subscription count is told to all subscribers at each change, never in presence channels", async () => {
    await using emulator = await startPusherEmulator({
      apps: [{ id: "1", key: "app-key", secret: "app-secret", subscriptionCount: true }],
    })
    using first = createSdkClient(emulator, { member: { user_id: "ann" } })
    const counts: number[] = []
    const bindCount = (name: string) =>
      first.pusher
        .subscribe(name)
        .bind("pusher:subscription_count", (data: { subscription_count: number }) =>
          counts.push(data.subscription_count),
        )
    bindCount("presence-news")
    bindCount("news")
    await until(() => counts.length === 1)
    const second = createSdkClient(emulator)
    await second.subscribe("news")
    await until(() => counts.length === 2)
    second[Symbol.dispose]()
    await until(() => counts.length === 3)
    expect(counts).toEqual([1, 2, 1])
  })

  onEachService(
    "§2g §9a §9b §9c a cache channel begins with its last event, or says that it has none",
    async (emulator) => {
      const library = createServerLibrary(emulator)
      using client = createSdkClient(emulator, { member: { user_id: "ann" } })
      for (const name of ["cache-a", "private-cache-a", "presence-cache-a"]) {
        const empty = record(client.pusher.subscribe(name))
        await until(() => empty.length === 2)
        expect(empty.map(({ event }) => event)).toEqual([
          "pusher:subscription_succeeded",
          "pusher:cache_miss",
        ])
        client.pusher.unsubscribe(name)

        await library.trigger(name, "price", { usd: 1 })
        await library.trigger(name, "price", { usd: 2 })
        const full = record(client.pusher.subscribe(name))
        await until(() => full.length === 2)
        expect(full[1]).toEqual({ event: "price", data: { usd: 2 } })
      }
    },
  )

  it("§2g §6c §9a an encrypted cache channel keeps what it can't read", async () => {
    await using emulator = await startPusherEmulator()
    const key = Buffer.alloc(32, 1).toString("base64")
    const library = createServerLibrary(emulator, undefined, { encryptionMasterKeyBase64: key })
    await library.trigger("private-encrypted-cache-price", "price", { usd: 1 })
    expect(emulator.app().cache.get("private-encrypted-cache-price")?.data).toMatch(
      /^\{"nonce":".+","ciphertext":".+"\}$/,
    )
    using client = createSdkClient(emulator, {
      options: {
        channelAuthorization: {
          customHandler: ({ socketId, channelName }, callback) =>
            callback(null, library.authorizeChannel(socketId, channelName)),
        },
      },
    })
    const received = record(client.pusher.subscribe("private-encrypted-cache-price"))
    await until(() => received.length === 2)
    expect(received[1]).toEqual({ event: "price", data: { usd: 1 } })
  })

  it("§1.5f after a cut the client comes back with a new socket id and its channels", async () => {
    await using emulator = await startPusherEmulator()
    const library = createServerLibrary(emulator)
    using client = createSdkClient(emulator)
    const received = record(await client.subscribe("private-news"))
    const before = client.socketId
    expect(emulator.dropConnections()).toBe(1)
    await until(() => received.some(({ event }) => event === "pusher:subscription_succeeded"))
    expect(client.socketId).not.toBe(before)
    await library.trigger("private-news", "seen", {})
    await until(() => received.some(({ event }) => event === "seen"))
  })

  it("two apps share no channel, no user and no secret", async () => {
    const apps = [
      { id: "1", key: "one-key", secret: "one-secret" },
      { id: "2", key: "two-key", secret: "two-secret" },
    ]
    await using emulator = await startPusherEmulator({ apps })
    using one = createSdkClient(emulator, { app: "1" })
    using two = createSdkClient(emulator, { app: "2" })
    const ofOne = record(await one.subscribe("private-news"))
    const ofTwo = record(await two.subscribe("private-news"))
    await createServerLibrary(emulator, "1").trigger("private-news", "for-one", {})
    await createServerLibrary(emulator, "2").trigger("private-news", "for-two", {})
    await until(() => ofOne.length > 0 && ofTwo.length > 0)
    expect([ofOne, ofTwo]).toEqual([[{ event: "for-one", data: {} }], [{ event: "for-two", data: {} }]])
    const mixed = createServerLibrary(emulator, "1", { secret: "two-secret" })
    await expect(mixed.trigger("news", "event", {})).rejects.toMatchObject({ status: 401 })
  })
})
