import { decode } from "@msgpack/msgpack"
import type * as Ably from "ably"
import { describe, expect, test } from "vitest"
import { errorOf, FORMATS, openRealtime, openRest, until } from "./harness.ts"
import { startAblyEmulator } from "./server.ts"

describe.each(FORMATS)("REST ($format)", ({ useBinaryProtocol }) => {
  test("§2.2a time needs no credentials", async () => {
    await using emulator = await startAblyEmulator()
    emulator.clock.skewMs = 3_600_000
    const time = await openRest(emulator, { useBinaryProtocol, key: "no.such:key" }).time()
    expect(time - Date.now()).toBeGreaterThan(3_500_000)
  })

  test("§2.2p batchPublish: each channel succeeds or fails alone", async () => {
    const keys = [{ capability: { "open:*": ["publish", "history"] } }]
    await using emulator = await startAblyEmulator({ apps: [{ keys }] })
    const rest = openRest(emulator, { useBinaryProtocol })
    const result = await rest.batchPublish({
      channels: ["open:1", "closed", "open:2"],
      messages: [
        { name: "m", data: "1" },
        { name: "m", data: "2" },
      ],
    })
    expect(result).toMatchObject({
      successCount: 2,
      failureCount: 1,
      results: [
        { channel: "open:1", serials: [expect.any(String), expect.any(String)] },
        { channel: "closed", error: { code: 40160, statusCode: 401 } },
        { channel: "open:2", messageId: expect.stringMatching(/:0$/) },
      ],
    })
    expect((await rest.channels.get("open:2").history()).items).toHaveLength(2)
    const both = await rest.batchPublish([
      { channels: ["open:1"], messages: [{ data: "a" }] },
      { channels: ["open:2"], messages: [{ data: "b" }] },
    ])
    expect(both.map(({ successCount }) => successCount)).toEqual([1, 1])
  })

  test("§2.2s a batch in protocol version 2 fails as a whole with 40020 and says what happened", async () => {
    await using emulator = await startAblyEmulator()
    const rest = openRest(emulator, { useBinaryProtocol })
    const batch = (channels: string[]) =>
      rest.request("post", "/messages", 2, {}, { channels, messages: { data: "x" } })
    const good = await batch(["a", "b"])
    expect(good).toMatchObject({ statusCode: 201, success: true })
    expect(good.items).toMatchObject([{ channel: "a" }, { channel: "b" }])
    const partial = await batch(["a", ":bad"])
    expect(partial).toMatchObject({ statusCode: 400, success: false, errorCode: 40020 })
    expect(partial.items[0]).toMatchObject({
      batchResponse: [{ channel: "a" }, { channel: ":bad", error: { code: 40010 } }],
    })
  })

  test("§2.2q batchPresence", async () => {
    await using emulator = await startAblyEmulator()
    await using client = openRealtime(emulator, { useBinaryProtocol, clientId: "ann" })
    await client.channels.get("a").presence.enter("here")
    const result = await openRest(emulator, { useBinaryProtocol }).batchPresence(["a", "b", ":bad"])
    expect(result).toMatchObject({
      successCount: 2,
      failureCount: 1,
      results: [
        { channel: "a", presence: [{ clientId: "ann", action: 1 }] },
        { channel: "b", presence: [] },
        { channel: ":bad", error: { code: 40010 } },
      ],
    })
  })

  test("§2.2m channel status has the occupancy", async () => {
    await using emulator = await startAblyEmulator()
    await using client = openRealtime(emulator, { useBinaryProtocol, clientId: "ann" })
    const rest = openRest(emulator, { useBinaryProtocol }).channels.get("room")
    expect((await rest.status()).status.isActive).toBe(false)
    await client.channels.get("room").presence.enter()
    const { channelId, status } = await rest.status()
    expect(channelId).toBe("room")
    expect(status).toMatchObject({
      isActive: true,
      occupancy: { metrics: { connections: 1, subscribers: 1, publishers: 1, presenceMembers: 1 } },
    })
  })

  test("the active channels can be listed, by name too", async () => {
    await using emulator = await startAblyEmulator()
    await using client = openRealtime(emulator, { useBinaryProtocol })
    for (const name of ["room:1", "room:2", "lobby"]) await client.channels.get(name).attach()
    const rest = openRest(emulator, { useBinaryProtocol })
    const page = await rest.request("get", "/channels", 6, { prefix: "room:", limit: "1" })
    expect(page.items).toMatchObject([{ channelId: "room:1", status: { isActive: true } }])
    expect((await page.next())?.items).toMatchObject([{ channelId: "room:2" }])
    expect((await rest.request("get", "/channels", 6, { by: "id" })).items).toHaveLength(3)
  })

  test("§2.2r stats count messages and presence as they pass", async () => {
    await using emulator = await startAblyEmulator()
    // In the middle of an hour there, whatever it is here.
    emulator.clock.skewMs = 1_800_000 - (Date.now() % 3_600_000)
    await using client = openRealtime(emulator, { useBinaryProtocol, clientId: "ann" })
    const rest = openRest(emulator, { useBinaryProtocol })
    expect((await rest.stats()).items).toEqual([])
    const channel = client.channels.get("room")
    const received: unknown[] = []
    await channel.subscribe((message) => void received.push(message.data))
    await channel.publish([{ data: "12345" }, { data: "123" }])
    await rest.channels.get("room").publish("m", "1")
    await channel.presence.enter()
    await until(() => expect(received).toHaveLength(3))
    const [hour] = (await rest.stats({ end: emulator.clock.now(), unit: "hour" })).items
    expect(hour).toMatchObject({
      unit: "hour",
      appId: expect.any(String),
      schema: expect.any(String),
      inProgress: expect.stringMatching(/^\d{4}-\d\d-\d\d:\d\d:\d\d$/),
      entries: {
        "messages.inbound.realtime.messages.count": 2,
        "messages.inbound.realtime.messages.data": 8 + 2 * "ann".length,
        "messages.inbound.rest.messages.count": 1,
        "messages.inbound.all.messages.count": 3,
        "messages.outbound.realtime.messages.count": 3,
        "messages.inbound.realtime.presence.count": 1,
        "messages.all.messages.count": 6,
      },
    })
  })

  test("§2.2r stats by interval, bounds, direction and page, from what the sandbox is told", async () => {
    await using emulator = await startAblyEmulator()
    const rest = openRest(emulator, { useBinaryProtocol })
    const minute = (intervalId: string, count: number, peak: number) => ({
      intervalId,
      inbound: { realtime: { messages: { count, data: 100 * count } } },
      persisted: { presence: { count } },
      channels: { peak },
    })
    const fixtures = [minute("2025-02-03:15:03", 5, 1), minute("2025-02-03:15:04", 6, 9)]
    await rest.request("post", "/stats", 6, {}, [...fixtures, minute("2025-02-04:01:00", 7, 2)])

    const counts = async (params: Ably.StatsParams) =>
      (await rest.stats(params)).items.map(({ entries }) => entries["messages.inbound.all.messages.count"])
    expect(await counts({})).toEqual([7, 6, 5])
    expect(await counts({ direction: "forwards", end: Date.UTC(2025, 1, 3, 15, 3) })).toEqual([5])
    const byId = { start: "2025-02-03:15:04", end: "2025-02-03" } as object
    expect(await counts(byId)).toEqual([6])
    expect(await counts({ unit: "day", direction: "forwards" })).toEqual([11, 7])
    expect(await counts({ unit: "month" })).toEqual([18])
    const [february] = (await rest.stats({ unit: "month" })).items
    expect(february).toMatchObject({ intervalId: "2025-02" })
    expect(february?.entries).toMatchObject({ "channels.peak": 9, "messages.persisted.presence.count": 18 })
    const newest = await rest.stats({ limit: 1 })
    expect((await newest.next())?.items).toMatchObject([{ intervalId: "2025-02-03:15:04" }])
    const [old] = (await rest.request("get", "/stats", 2, { unit: "day" })).items
    expect(old).toMatchObject({ intervalId: "2025-02-04", inbound: { all: { messages: { data: 700 } } } })

    for (const params of [{ unit: "year" }, { start: "yesterday" }, { end: "9e99" }])
      expect(await rest.request("get", "/stats", 6, params)).toMatchObject({ errorCode: 40003 })
    for (const body of [{ intervalId: "2025" }, ["nonsense"]])
      expect(await rest.request("post", "/stats", 6, {}, body)).toMatchObject({ errorCode: 40003 })
  })

  test("§2i an unknown path is 40400, a wrong method 40500, and request() gives the error back", async () => {
    await using emulator = await startAblyEmulator()
    const rest = openRest(emulator, { useBinaryProtocol })
    expect(await rest.request("get", "/nowhere", 6)).toMatchObject({ statusCode: 404, errorCode: 40400 })
    const noSuchApp = await rest.request("get", "/keys/no.such/requestToken", 6)
    expect(noSuchApp).toMatchObject({ statusCode: 404, errorCode: 40400 })
    expect(await rest.request("delete", "/time", 6)).toMatchObject({ statusCode: 405, errorCode: 40500 })
    expect(await rest.request("get", "/push/channelSubscriptions", 6)).toMatchObject({ errorCode: 40400 })
  })

  test("§6.3a §6.3d an object as data, from a request made by hand, becomes JSON", async () => {
    await using emulator = await startAblyEmulator()
    const rest = openRest(emulator, { useBinaryProtocol })
    const post = (data: unknown) => rest.request("post", "/channels/room/messages", 6, {}, { data })
    expect((await post({ a: 1 })).statusCode).toBe(201)
    expect((await rest.channels.get("room").history()).items[0]?.data).toEqual({ a: 1 })
    expect(await post(7)).toMatchObject({ statusCode: 400, errorCode: 40013 })
  })

  test("§2c X-Ably-ClientId, in base64, names the publisher", async () => {
    await using emulator = await startAblyEmulator()
    const rest = openRest(emulator, { useBinaryProtocol, clientId: "アン" })
    await rest.channels.get("room").publish("m", "x")
    const { items } = await rest.channels.get("room").history()
    expect(items.map((message) => message.clientId)).toEqual(["アン"])
    expect((await errorOf(rest.channels.get("room").publish({ clientId: "bob" }))).code).toBe(40012)
  })

  test("§2.1c pages of presence history follow their Link, whose word is `history`", async () => {
    await using emulator = await startAblyEmulator()
    await using client = openRealtime(emulator, { useBinaryProtocol, clientId: "ann" })
    await client.channels.get("room").presence.enter("first")
    await client.channels.get("room").presence.update("second")
    const rest = openRest(emulator, { useBinaryProtocol })
    const newest = await rest.channels.get("room").presence.history({ limit: 1 })
    expect(newest.items).toMatchObject([{ action: "update", data: "second" }])
    const older = await newest.next()
    expect(older?.items).toMatchObject([{ action: "enter", data: "first" }])
    expect(older?.isLast()).toBe(true)
    const response = await fetch(`${emulator.url}/channels/room/presence/history?limit=1`, {
      headers: { authorization: `Basic ${Buffer.from(emulator.key).toString("base64")}` },
    })
    const targets = [...(response.headers.get("link") ?? "").matchAll(/<([^?>]*)\?[^>]*>; rel="(\w+)"/g)]
    expect(targets.map(([, word, rel]) => [rel, word])).toEqual([
      ["first", "./history"],
      ["current", "./history"],
      ["next", "./history"],
    ])
  })

  test("§2f §3.6d the sandbox makes and deletes apps", async () => {
    await using emulator = await startAblyEmulator({ apps: [] })
    const setup = {
      keys: [{}, { capability: '{"room":["subscribe"]}' }],
      namespaces: [{ id: "kept", persisted: true }],
    }
    const response = await fetch(`${emulator.url}/apps`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(setup),
    })
    expect(response.status).toBe(201)
    const { appId, keys } = await response.json()
    // The suites of other SDKs read a key in two parts.
    expect(`${appId}.${keys[0].id}:${keys[0].value}`).toBe(keys[0].keyStr)
    const [full, narrow] = keys.map((key: { keyStr: string }) =>
      openRest(emulator, { useBinaryProtocol, key: key.keyStr }),
    )
    await full.channels.get("room").publish("m", "x")
    expect((await errorOf(narrow.channels.get("room").publish("m", "x"))).code).toBe(40160)

    // They publish faster than a free account may.
    await using realtime = openRealtime(emulator, { useBinaryProtocol, key: keys[0].keyStr })
    const { presence } = realtime.channels.get("crowd")
    await Promise.all(Array.from({ length: 110 }, (_, index) => presence.enterClient(`client ${index}`)))

    const deleted = await fetch(`${emulator.url}/apps/${appId}?key=${keys[0].keyStr}`, { method: "DELETE" })
    expect(deleted.status).toBe(204)
    expect(await deleted.text()).toBe("")
    expect((await errorOf(full.channels.get("room").publish("m", "x"))).code).toBe(40101)
  })
})

test.each([
  ["application/json", (bytes: Uint8Array) => JSON.parse(Buffer.from(bytes).toString("utf8"))],
  ["application/x-msgpack", (bytes: Uint8Array) => decode(bytes)],
])("§2a the answer to `Accept: %s` has that format and that very type, an error too", async (type, read) => {
  await using emulator = await startAblyEmulator()
  const ask = async (path: string) => {
    const response = await fetch(`${emulator.url}${path}`, {
      headers: { accept: type, authorization: `Basic ${Buffer.from(emulator.key).toString("base64")}` },
    })
    expect(response.headers.get("content-type")).toBe(type)
    return read(new Uint8Array(await response.arrayBuffer()))
  }
  await openRest(emulator).channels.get("room").publish("m", "x")
  expect(await ask("/channels/room/messages")).toMatchObject([{ name: "m", data: "x" }])
  expect(await ask("/nowhere")).toMatchObject({ error: { code: 40400, statusCode: 404 } })
})
