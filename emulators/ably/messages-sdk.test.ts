import type * as Ably from "ably"
import { describe, expect, test } from "vitest"
import { createManualClock } from "./clock.ts"
import { errorOf, FORMATS, openRaw, openRealtime, openRest, until } from "./harness.ts"
import { startAblyEmulator } from "./server.ts"

describe.each(FORMATS)("messages ($format)", ({ useBinaryProtocol }) => {
  test("§6.1b §6.2a §6.2b §6.2e §6.1g an ACK has the serials of its messages; delivery has the same, with ids and positions", async () => {
    await using emulator = await startAblyEmulator()
    await using client = openRealtime(emulator, { useBinaryProtocol, clientId: "ann" })
    const channel = client.channels.get("room")
    const received: Ably.InboundMessage[] = []
    await channel.subscribe((message) => void received.push(message))
    const result = await channel.publish([
      { name: "a", data: "1" },
      { name: "b", data: "2" },
    ])
    await until(() => expect(received).toHaveLength(2))
    const { id } = client.connection
    expect(received.map((message) => message.serial)).toEqual(result.serials)
    expect(received.map((message) => message.id)).toEqual([`${id}:0:0`, `${id}:0:1`])
    expect(received[0]).toMatchObject({
      name: "a",
      clientId: "ann",
      connectionId: id,
      action: "message.create",
      version: { serial: received[0]?.serial },
    })
    expect(received[0]?.timestamp).toBe(received[0]?.version.timestamp)
  })

  test("§6.1c §6.2e many publishes at once are acknowledged each with its own serial, in order", async () => {
    await using emulator = await startAblyEmulator({ limits: { maxInboundRate: 1000, maxChannelRate: 1000 } })
    await using client = openRealtime(emulator, { useBinaryProtocol })
    const channel = client.channels.get("room")
    const received: unknown[] = []
    await channel.subscribe((message) => void received.push(message.serial))
    const results = await Promise.all(
      Array.from({ length: 200 }, (_, index) => channel.publish("m", String(index))),
    )
    const serials = results.map((result) => result.serials[0])
    expect(new Set(serials).size).toBe(200)
    expect(serials).toEqual([...serials].sort())
    await until(() => expect(received).toEqual(serials))
  })

  test.each([
    ["text", "こんにちは"],
    ["an object", { nested: [1, { two: "２" }] }],
    ["an array", [1, "two", null]],
    ["nothing", undefined],
  ])("§6.3a %s arrives as it was sent", async (_, data) => {
    await using emulator = await startAblyEmulator()
    await using client = openRealtime(emulator, { useBinaryProtocol })
    const channel = client.channels.get("room")
    const received: unknown[] = []
    await channel.subscribe((message) => void received.push(message.data))
    await channel.publish("m", data)
    await until(() => expect(received).toEqual([data]))
  })

  test("§6.3b binary crosses from one format to the other", async () => {
    await using emulator = await startAblyEmulator()
    await using sender = openRealtime(emulator, { useBinaryProtocol })
    await using receiver = openRealtime(emulator, { useBinaryProtocol: !useBinaryProtocol })
    const received: unknown[] = []
    await receiver.channels.get("room").subscribe((message) => void received.push(message.data))
    const bytes = Buffer.from([0, 1, 127, 128, 255])
    await sender.channels.get("room").publish("m", bytes)
    await openRest(emulator, { useBinaryProtocol }).channels.get("room").publish("m", bytes)
    await until(() => expect(received).toEqual([bytes, bytes]))
  })

  test("§6.3c an encrypted message passes unread", async () => {
    await using emulator = await startAblyEmulator()
    const cipher = { key: Buffer.alloc(32, 7) }
    await using sender = openRealtime(emulator, { useBinaryProtocol })
    await using receiver = openRealtime(emulator, { useBinaryProtocol: !useBinaryProtocol })
    const received: unknown[] = []
    await receiver.channels.get("room", { cipher }).subscribe((message) => void received.push(message.data))
    await sender.channels.get("room", { cipher }).publish("m", { secret: true })
    await until(() => expect(received).toEqual([{ secret: true }]))
    const { items } = await openRest(emulator, { useBinaryProtocol }).channels.get("room").history()
    expect(items[0]?.encoding).toBe("json/utf-8/cipher+aes-256-cbc")
  })

  test("§6.2f extras pass unchanged", async () => {
    await using emulator = await startAblyEmulator()
    await using client = openRealtime(emulator, { useBinaryProtocol })
    const channel = client.channels.get("room")
    const received: unknown[] = []
    await channel.subscribe((message) => void received.push(message.extras))
    const extras = { headers: { a: 1, b: ["x"] }, ref: { type: "reply", timeserial: "1" } }
    await channel.publish({ name: "m", data: "x", extras })
    await until(() => expect(received).toEqual([extras]))
  })

  test("§6.1a publishing needs no attachment", async () => {
    await using emulator = await startAblyEmulator()
    await using client = openRealtime(emulator, { useBinaryProtocol })
    await client.channels.get("room").publish("m", "x")
    expect(client.channels.get("room").state).toBe("initialized")
  })

  test("§6.1h §6.1d §6.3e a publish over maxMessageSize is 40009, by socket and by REST", async () => {
    await using emulator = await startAblyEmulator()
    // The SDK checks against the details of the connection, so its own check is lifted to reach the service's.
    const large = "x".repeat(65_537)
    await using socket = await openRaw(emulator)
    socket.send({ action: 15, channel: "room", msgSerial: 0, messages: [{ data: large }] })
    expect(await socket.next("NACK")).toMatchObject({
      msgSerial: 0,
      count: 1,
      error: { code: 40009, statusCode: 400 },
    })
    const rest = openRest(emulator, { useBinaryProtocol, maxMessageSize: 1_000_000 })
    expect((await errorOf(rest.channels.get("room").publish("m", large))).code).toBe(40009)
    await rest.channels.get("room").publish({ data: "x".repeat(65_536) })
  })

  test("§2.3a an id that the client gave is kept, the SDK's own for idempotency too", async () => {
    await using emulator = await startAblyEmulator()
    await using client = openRealtime(emulator, { useBinaryProtocol })
    const received: unknown[] = []
    await client.channels.get("room").subscribe((message) => void received.push(message.id))
    const rest = openRest(emulator, { useBinaryProtocol }).channels.get("room")
    await rest.publish({ id: "my own", data: "1" })
    await rest.publish([{ data: "2" }, { data: "3" }])
    const { items } = await rest.history({ direction: "forwards" })
    const ids = items.map((message) => message.id)
    expect(ids[0]).toBe("my own")
    const base = ids[1]?.replace(/:0$/, "") ?? ""
    // As the SDK makes them: 9 random bytes in base64.
    expect(base).toMatch(/^[\w+/]{12}$/)
    expect(ids[2]).toBe(`${base}:1`)
    await until(() => expect(received).toEqual(ids))
  })

  test("§6.2d what REST publishes has an id of its own base and no connectionId", async () => {
    await using emulator = await startAblyEmulator()
    await using client = openRealtime(emulator, { useBinaryProtocol })
    const received: Ably.InboundMessage[] = []
    await client.channels.get("room").subscribe((message) => void received.push(message))
    const rest = openRest(emulator, { useBinaryProtocol, idempotentRestPublishing: false })
    await rest.channels.get("room").publish([{ data: "1" }, { data: "2" }])
    await rest.channels.get("room").publish("m", "3")
    await until(() => expect(received).toHaveLength(3))
    expect(received.map((message) => message.connectionId)).toEqual([undefined, undefined, undefined])
    const [first = "", second = "", third = ""] = received.map((message) => message.id)
    const base = first.replace(/:0$/, "")
    expect(base).toMatch(/^\w+$/)
    expect(base).not.toBe(client.connection.id)
    expect(second).toBe(`${base}:1`)
    expect(third).toMatch(/^\w+:0$/)
    expect(third).not.toBe(first)
  })

  test("§2.3b a repeated id is acknowledged again and delivered once", async () => {
    await using emulator = await startAblyEmulator()
    const rest = openRest(emulator, { useBinaryProtocol }).channels.get("room")
    const first = await rest.publish({ id: "fixed", name: "m", data: "1" })
    const again = await rest.publish({ id: "fixed", name: "m", data: "1" })
    expect(again.serials).toEqual(first.serials)
    expect((await rest.history()).items).toHaveLength(1)
  })

  test("§2.3b a REST publish whose answer was lost is retried without a second delivery", async () => {
    await using emulator = await startAblyEmulator()
    emulator.faults.add({ fault: "abort", when: "after", match: { method: "POST" }, times: 1 })
    const rest = openRest(emulator, { useBinaryProtocol })
    const messages = [
      { id: "base:0", data: "1" },
      { id: "base:1", data: "2" },
    ]
    await errorOf(rest.channels.get("room").publish(messages))
    await rest.channels.get("room").publish(messages)
    expect((await rest.channels.get("room").history()).items).toHaveLength(2)
  })

  test("§2.3d ids in an array that don't share a base are 40031", async () => {
    await using emulator = await startAblyEmulator()
    const rest = openRest(emulator, { useBinaryProtocol })
    const mixed = [
      { id: "a:0", data: "1" },
      { id: "b:1", data: "2" },
    ]
    expect((await errorOf(rest.channels.get("room").publish(mixed))).code).toBe(40031)
  })

  test("§2.3e a message with a connectionKey counts as that connection's", async () => {
    await using emulator = await startAblyEmulator()
    await using client = openRealtime(emulator, { useBinaryProtocol, echoMessages: false, clientId: "ann" })
    const channel = client.channels.get("room")
    const received: unknown[] = []
    await channel.subscribe((message) => void received.push(message.data))
    const rest = openRest(emulator, { useBinaryProtocol }).channels.get("room")
    const onBehalf = { data: "own", connectionKey: client.connection.key ?? "" }
    await rest.publish(onBehalf as unknown as Ably.Message)
    await rest.publish({ data: "other" })
    await until(() => expect(received).toEqual(["other"]))
    const { items } = await rest.history()
    expect(items[1]).toMatchObject({ clientId: "ann", connectionId: client.connection.id })
    expect(items[1]).not.toHaveProperty("connectionKey")
  })

  test("§2.3f a connectionKey doesn't let one client speak as another: 40012", async () => {
    await using emulator = await startAblyEmulator()
    await using ann = openRealtime(emulator, { useBinaryProtocol, clientId: "ann" })
    await ann.connection.whenState("connected")
    const { token } = await openRest(emulator).auth.requestToken({ clientId: "bob" })
    const onBehalf = { data: "forged", connectionKey: ann.connection.key ?? "" }
    const bob = openRest(emulator, { useBinaryProtocol, token }).channels.get("room")
    expect((await errorOf(bob.publish(onBehalf as unknown as Ably.Message))).code).toBe(40012)
  })

  test("§9c over quota, a publish is refused with 40112", async () => {
    await using emulator = await startAblyEmulator()
    for (const app of emulator.service.apps.values()) app.overQuota = true
    const error = await errorOf(
      openRest(emulator, { useBinaryProtocol }).channels.get("room").publish("m", "x"),
    )
    expect(error).toMatchObject({ code: 40112, statusCode: 429 })
  })
})

describe("idempotency, on a clock of its own", () => {
  test("§2.3c after two minutes an id is new again", async () => {
    const clock = createManualClock()
    await using emulator = await startAblyEmulator({ clock })
    const rest = openRest(emulator).channels.get("persisted:room")
    await rest.publish({ id: "fixed", data: "1" })
    clock.advance(119_000)
    await rest.publish({ id: "fixed", data: "1" })
    clock.advance(2000)
    await rest.publish({ id: "fixed", data: "1" })
    expect((await rest.history()).items).toHaveLength(2)
  })
})
