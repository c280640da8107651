import Pusher from "pusher"
import { describe, expect, it } from "vitest"
import { startPusherEmulator } from "./server.ts"
import { onEachService } from "./services.ts"
import { createSdkClient, createServerLibrary, record, until } from "./test-clients.ts"

const app = { id: "1", key: "app-key", secret: "app-secret" }
const counting = { ...app, subscriptionCount: true }

describe("the HTTP API, by the official server library", () => {
  onEachService(
    "§10e §10.2a §10.2q one trigger reaches several channels, but not the excluded socket",
    async (emulator) => {
      const library = createServerLibrary(emulator)
      using sender = createSdkClient(emulator)
      using receiver = createSdkClient(emulator)
      const atSender = record(await sender.subscribe("news"))
      const atReceiver = record(await receiver.subscribe("news"))
      const elsewhere = record(await receiver.subscribe("other"))
      const response = await library.trigger(
        ["news", "other"],
        "event",
        { n: 1 },
        { socket_id: sender.socketId },
      )
      expect(response.status).toBe(200)
      await library.trigger("news", "to-all", {})
      await until(() => atSender.length > 0 && atReceiver.length > 1 && elsewhere.length > 0)
      expect(atSender.map(({ event }) => event)).toEqual(["to-all"])
      expect(atReceiver.map(({ event }) => event)).toEqual(["event", "to-all"])
    },
  )

  onEachService(
    "§10.2c §10.2q a batch is delivered in order, each entry with its own exclusion",
    async (emulator) => {
      const library = createServerLibrary(emulator)
      using client = createSdkClient(emulator)
      const received = record(await client.subscribe("news"))
      const response = await library.triggerBatch([
        { channel: "news", name: "first", data: { n: 1 } },
        { channel: "news", name: "hidden", data: {}, socket_id: client.socketId },
        { channel: "elsewhere", name: "other", data: {} },
        { channel: "news", name: "second", data: "text" },
      ])
      expect(response.status).toBe(200)
      await until(() => received.length === 2)
      expect(received).toEqual([
        { event: "first", data: { n: 1 } },
        { event: "second", data: "text" },
      ])
    },
  )

  it("§10.2b §10.2d §10.2s info answers for each channel with what applies to it", async () => {
    await using emulator = await startPusherEmulator({ apps: [counting] })
    const library = createServerLibrary(emulator)
    using client = createSdkClient(emulator, { member: { user_id: "ann" } })
    await client.subscribe("news")
    await client.subscribe("presence-room")
    const info = "user_count,subscription_count"
    const one = await library.trigger(["news", "presence-room"], "event", {}, { info })
    expect(await one.json()).toEqual({
      channels: { news: { subscription_count: 1 }, "presence-room": { user_count: 1 } },
    })
    const batch = await library.triggerBatch([
      { channel: "presence-room", name: "event", data: {}, info: "user_count" },
      { channel: "news", name: "event", data: {} },
      { channel: "empty", name: "event", data: {}, info: "subscription_count" },
    ])
    expect(await batch.json()).toEqual({ batch: [{ user_count: 1 }, {}, { subscription_count: 0 }] })
  })

  it("§10.2a one channel may be named by `channel`", async () => {
    await using emulator = await startPusherEmulator()
    const library = createServerLibrary(emulator)
    using client = createSdkClient(emulator)
    const received = record(await client.subscribe("news"))
    const body = { name: "event", channel: "news", data: "{}" } as unknown as string
    const response = await library.post({ path: "/events", body })
    expect([response.status, await response.text()]).toEqual([200, "{}"])
    await until(() => received.length === 1)
  })

  it("§10.2k §10.2s one channel tells its subscription count if the app has it enabled", async () => {
    await using emulator = await startPusherEmulator({ apps: [counting] })
    const library = createServerLibrary(emulator)
    using one = createSdkClient(emulator, { member: { user_id: "ann" } })
    using two = createSdkClient(emulator)
    for (const client of [one, two]) await client.subscribe("news")
    await one.subscribe("presence-room")
    const params = { info: "subscription_count" }
    const response = await library.get({ path: "/channels/news", params })
    expect(await response.json()).toEqual({ occupied: true, subscription_count: 2 })
    await expect(library.get({ path: "/channels/presence-room", params })).rejects.toMatchObject({
      status: 400,
    })
  })

  it("§10.2e §10.2f §10.2g channels are listed while they are occupied, by prefix", async () => {
    await using emulator = await startPusherEmulator({ apps: [counting] })
    const library = createServerLibrary(emulator)
    using client = createSdkClient(emulator)
    await client.subscribe("news")
    await client.subscribe("private-a")
    const list = async (params: Record<string, string>) =>
      (await library.get({ path: "/channels", params })).json()
    expect(await list({})).toEqual({ channels: { news: {}, "private-a": {} } })
    expect(await list({ filter_by_prefix: "private-", info: "subscription_count" })).toEqual({
      channels: { "private-a": { subscription_count: 1 } },
    })
    client.pusher.unsubscribe("news")
    await until(() => emulator.app().channels.get("news") === undefined)
    expect(await list({})).toEqual({ channels: { "private-a": {} } })
  })

  it("§10.2j §10.2k one channel is described, occupied or not, with its cached event", async () => {
    await using emulator = await startPusherEmulator()
    const library = createServerLibrary(emulator)
    const read = async (info?: string) =>
      (await library.get({ path: "/channels/cache-price", params: info ? { info } : {} })).json()
    expect(await read()).toEqual({ occupied: false })
    expect(await read("cache")).toEqual({ occupied: false, cache: null })
    await library.trigger("cache-price", "price", { usd: 1 })
    expect(await read("cache")).toEqual({ occupied: false, cache: { data: '{"usd":1}', ttl: 1800 } })
  })

  it.each([
    ["/channels", { info: "user_count" }, "user_count may only be requested for presence channels"],
    ["/channels", { info: "subscription_count" }, "subscription_count is not enabled for this app"],
    ["/channels", { info: "cache" }, "cache may only be requested for one channel"],
    ["/channels", { info: "weather" }, "Unknown info attribute: weather"],
    [
      "/channels/news",
      { info: "user_count" },
      "Cannot retrieve the user count unless the channel is a presence",
    ],
    ["/channels/news", { info: "subscription_count" }, "subscription_count is not enabled for this app"],
    ["/channels/news", { info: "cache" }, "Cannot retrieve the cache unless the channel is a cache channel"],
    ["/channels/news/users", {}, "Users can only be retrieved for presence channels"],
  ])("§10.2h §10.2i §10.2l §10.2n GET %s with %j is answered 400", async (path, params, body) => {
    await using emulator = await startPusherEmulator()
    const library = createServerLibrary(emulator)
    const answer = library.get({ path, params: params as Record<string, string> })
    await expect(answer).rejects.toMatchObject({ status: 400, body: expect.stringContaining(body) })
  })

  const event = { name: "event", channel: "news", data: "{}" }
  it.each([
    [400, "events", { ...event, name: undefined }, "Expected name parameter to be a string"],
    [400, "events", { ...event, name: "" }, "Event name must not be empty"],
    [400, "events", { ...event, name: "x".repeat(201) }, "Event name too long"],
    [400, "events", { ...event, name: "pusher:error" }, "Event name is reserved"],
    [400, "events", { ...event, data: { is: "an object" } }, "Expected data parameter to be a string"],
    [400, "events", { ...event, channel: undefined }, "Expected channel parameter to be a string"],
    [400, "events", { ...event, channel: "a room" }, "Invalid channel name: a room"],
    [400, "events", { ...event, channel: "x".repeat(201) }, "Invalid channel name"],
    [400, "events", { ...event, channels: [] }, "Missing required parameter: channels"],
    [400, "events", { ...event, channels: Array(101).fill("news") }, "more than 100 channels"],
    [400, "events", { ...event, socket_id: "nonsense" }, "Invalid socket id: nonsense"],
    [413, "events", { ...event, data: "x".repeat(10_241) }, "exceeds the allowed maximum (10240 bytes)"],
    [413, "events", { ...event, data: "あ".repeat(3_414) }, "exceeds the allowed maximum (10240 bytes)"],
    [400, "batch_events", {}, "Expected batch parameter to be an array"],
    [400, "batch_events", { batch: [1] }, "Expected each event of the batch to be an object"],
    [400, "batch_events", { batch: Array(11).fill(event) }, "Batch too large (11 > 10)"],
    [
      413,
      "batch_events",
      { batch: [event, { ...event, data: "x".repeat(10_241) }] },
      "exceeds the allowed maximum",
    ],
    [404, "nonsense", {}, "Not found"],
  ])("§10.3f §10.3g §10.3h answers %i to POST /%s %j", async (status, path, body, message) => {
    await using emulator = await startPusherEmulator()
    const library = createServerLibrary(emulator)
    const answer = library.post({ path: `/${path}`, body: body as unknown as string })
    await expect(answer).rejects.toMatchObject({ status, body: expect.stringContaining(message) })
    expect(emulator.app().messages).toBe(0)
  })

  it.each([
    [
      "§10.3a more than 100 channels are refused by the library",
      (library: Pusher) => library.trigger(Array(101).fill("news"), "event", {}),
    ],
    [
      "§10.3b a channel's name with a space is refused by the library",
      (library: Pusher) => library.trigger("a room", "event", {}),
    ],
    [
      "§10.3b a channel's name of 201 characters is refused by the library",
      (library: Pusher) => library.trigger("x".repeat(201), "event", {}),
    ],
    [
      "§10.3c an event's name of 201 characters is refused by the library",
      (library: Pusher) => library.trigger("news", "x".repeat(201), {}),
    ],
    [
      "§10.3d a malformed socket id is refused by the library",
      (library: Pusher) => library.trigger("news", "event", {}, { socket_id: "nonsense" }),
    ],
  ])("%s, and nothing reaches the service", async (_what, trigger) => {
    await using emulator = await startPusherEmulator()
    const everything = emulator.faults.inject({ kind: "http-refuse", status: 500 })
    expect(() => trigger(createServerLibrary(emulator))).toThrow()
    expect(everything.hits).toBe(0)
  })

  it("§10.3e §10.3f §10.3g too much data and too many events pass the library and not the service", async () => {
    await using emulator = await startPusherEmulator()
    const library = createServerLibrary(emulator)
    await expect(library.trigger("news", "event", "x".repeat(10_241))).rejects.toMatchObject({ status: 413 })
    const batch = Array.from({ length: 11 }, () => ({ name: "event", channel: "news", data: {} }))
    await expect(library.triggerBatch(batch)).rejects.toMatchObject({ status: 400 })
    const [event] = batch
    const unnamed = library.triggerBatch([{ ...event, channel: "a room" } as Pusher.BatchEvent])
    await expect(unnamed).rejects.toMatchObject({ status: 400 })
    expect(emulator.app().messages).toBe(0)
  })

  it("§10d what is refused rejects with status, body and URL", async () => {
    await using emulator = await startPusherEmulator()
    const library = createServerLibrary(emulator)
    const error = await library.get({ path: "/channels/news/users" }).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(Pusher.RequestError)
    expect(error).toMatchObject({
      status: 400,
      body: "Users can only be retrieved for presence channels\n",
      url: expect.stringContaining(`${emulator.url}/apps/1/channels/news/users?`),
    })
  })

  it("§10.3f §10.3g data of exactly 10 KB and a batch of ten are accepted", async () => {
    await using emulator = await startPusherEmulator()
    const library = createServerLibrary(emulator)
    const batch = Array.from({ length: 10 }, () => ({
      name: "event",
      channel: "news",
      data: "x".repeat(10_240),
    }))
    await expect(library.triggerBatch(batch)).resolves.toMatchObject({ status: 200 })
  })

  it.each([
    [401, "a wrong secret", {}, { secret: "wrong" }],
    [401, "an unknown key", {}, { key: "wrong" }],
    [404, "an unknown app", {}, { appId: "404" }],
    [403, "a disabled app", { enabled: false }, {}],
    [403, "an app over its message quota", { messageQuota: 0 }, {}],
  ])("§10.1e §10.1h §10.1i §10.1j answers %i to %s", async (status, _what, settings, options) => {
    await using emulator = await startPusherEmulator({ apps: [{ ...app, ...settings }] })
    const library = createServerLibrary(emulator, undefined, options)
    await expect(library.trigger("news", "event", {})).rejects.toMatchObject({ status })
  })

  it("§10.1j the message that reaches the quota is the last", async () => {
    await using emulator = await startPusherEmulator({ apps: [{ ...app, messageQuota: 2 }] })
    const library = createServerLibrary(emulator)
    for (const _ of [1, 2]) await library.trigger("news", "event", {})
    await expect(library.trigger("news", "event", {})).rejects.toMatchObject({ status: 403 })
    await expect(library.get({ path: "/channels" })).resolves.toMatchObject({ status: 200 })
  })

  it("the routes deprecated in 2012 are served", async () => {
    await using emulator = await startPusherEmulator()
    const library = createServerLibrary(emulator)
    using client = createSdkClient(emulator)
    const received = record(await client.subscribe("news"))
    const path = "/apps/1/channels/news"
    const params = { name: "event" }
    const query = library.createSignedQueryString({
      method: "POST",
      path: `${path}/events`,
      params,
      body: "raw",
    })
    const url = `${emulator.url}${path}/events?${query}`
    const response = await fetch(url, { method: "POST", body: "raw" })
    expect(response.status).toBe(202)
    await until(() => received.length === 1)
    expect(received).toEqual([{ event: "event", data: "raw" }])
    const stats = await library.get({ path: "/channels/news/stats" })
    expect(await stats.json()).toEqual({ occupied: true })
  })

  it("§10b Pusher.forURL connects to it", async () => {
    await using emulator = await startPusherEmulator()
    const library = Pusher.forURL(`http://app-key:app-secret@${emulator.host}:${emulator.port}/apps/1`)
    await expect(library.trigger("news", "event", {})).resolves.toMatchObject({ status: 200 })
  })
})
