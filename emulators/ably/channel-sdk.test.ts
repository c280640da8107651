import { describe, expect, test } from "vitest"
import { createManualClock } from "./clock.ts"
import { connected, errorOf, FORMATS, openRaw, openRealtime, openRest, until } from "./harness.ts"
import { startAblyEmulator } from "./server.ts"

/** The SDK takes it, though its types don't say so. */
const soonAgain = { channelRetryTimeout: 50 }

describe.each(FORMATS)("attach ($format)", ({ useBinaryProtocol }) => {
  test("§5.1b §5.1c the default modes are granted, ANNOTATION_SUBSCRIBE only on request", async () => {
    await using emulator = await startAblyEmulator()
    await using client = openRealtime(emulator, { useBinaryProtocol })
    const plain = client.channels.get("plain")
    await plain.attach()
    expect(plain.modes).toEqual([
      "presence",
      "publish",
      "subscribe",
      "presence_subscribe",
      "annotation_publish",
    ])
    const asked = client.channels.get("asked", { modes: ["ANNOTATION_SUBSCRIBE", "SUBSCRIBE"] })
    await asked.attach()
    expect(asked.modes).toEqual(["subscribe", "annotation_subscribe"])
  })

  test("§5.1a §6.1f an attachment without SUBSCRIBE receives nothing; one without PUBLISH may not publish (40165)", async () => {
    await using emulator = await startAblyEmulator()
    await using client = openRealtime(emulator, { useBinaryProtocol })
    const deaf = client.channels.get("room", { modes: ["PUBLISH"] })
    await deaf.attach()
    await using other = openRealtime(emulator, { useBinaryProtocol })
    const mute = other.channels.get("room", { modes: ["SUBSCRIBE"] })
    const received: unknown[] = []
    await mute.subscribe((message) => void received.push(message.data))
    deaf.subscribe((message) => void received.push(`deaf heard ${message.data}`))
    await deaf.publish("m", "spoken")
    await until(() => expect(received).toEqual(["spoken"]))
    expect(await errorOf(mute.publish("m", "x"))).toMatchObject({ code: 40165, statusCode: 401 })
  })

  test("§5.1i §5.1j params: known ones are confirmed, unknown ones dropped", async () => {
    await using emulator = await startAblyEmulator()
    await using client = openRealtime(emulator, { useBinaryProtocol })
    const channel = client.channels.get("room", {
      params: { rewind: "1", nonsense: "x", modes: "subscribe" },
    })
    await channel.attach()
    expect(channel.params).toEqual({ rewind: "1", modes: "subscribe" })
    expect(channel.modes).toEqual(["subscribe"])
  })

  test("§5.1g §5.1l §5.1p §8a rewind replays the last messages after ATTACHED, with HAS_BACKLOG", async () => {
    await using emulator = await startAblyEmulator()
    const rest = openRest(emulator, { useBinaryProtocol }).channels.get("room")
    for (const data of ["1", "2", "3"]) await rest.publish("m", data)
    await using client = openRealtime(emulator, { useBinaryProtocol })
    const channel = client.channels.get("room", { params: { rewind: "2" } })
    const received: unknown[] = []
    const attached = channel.once("attached")
    await channel.subscribe((message) => void received.push(message.data))
    expect((await attached).hasBacklog).toBe(true)
    await rest.publish("m", "4")
    await until(() => expect(received).toEqual(["2", "3", "4"]))
    // What was rewound lies behind the attach point, so history before it has only the rest (§8).
    const before = await channel.history({ untilAttach: true })
    expect(before.items.map((message) => message.data)).toEqual(["1"])
  })

  test("§8e an ephemeral message reaches who is there, and nobody afterwards", async () => {
    await using emulator = await startAblyEmulator()
    const rest = openRest(emulator, { useBinaryProtocol }).channels.get("room")
    await using client = openRealtime(emulator, { useBinaryProtocol })
    const received: unknown[] = []
    const channel = client.channels.get("room")
    await channel.subscribe((message) => void received.push(message.data))
    const ephemeral = (data: string) => rest.publish({ name: "m", data, extras: { ephemeral: true } })
    await ephemeral("heard")
    await until(() => expect(received).toEqual(["heard"]))

    emulator.faults.add({ fault: "cut", match: { direction: "outbound", action: "MESSAGE" }, times: 1 })
    await ephemeral("lost with its socket")
    await rest.publish("m", "kept")
    await until(() => expect(received).toEqual(["heard", "kept"]))
    expect((await rest.history()).items.map(({ data }) => data)).toEqual(["kept"])
    const rewound: unknown[] = []
    const late = client.channels.get("[?rewind=5]room")
    await late.subscribe((message) => void rewound.push(message.data))
    await until(() => expect(rewound).toEqual(["kept"]))
  })

  test("§5.1r rewind counts for a new attachment only, not for a resumed or repeated one", async () => {
    await using emulator = await startAblyEmulator()
    const rest = openRest(emulator, { useBinaryProtocol }).channels.get("room")
    await rest.publish("m", "1")
    await using client = openRealtime(emulator, { useBinaryProtocol })
    const channel = client.channels.get("room", { params: { rewind: "10" } })
    const received: unknown[] = []
    await channel.subscribe((message) => void received.push(message.data))
    await until(() => expect(received).toEqual(["1"]))
    const resumed = channel.once("attached")
    emulator.dropConnections()
    expect(await resumed).toMatchObject({ resumed: true, hasBacklog: false })
    await channel.setOptions({ params: { rewind: "5" } })
    await rest.publish("m", "2")
    await until(() => expect(received).toContain("2"))
    expect(received).toEqual(["1", "2"])
  })

  test("§5.1s occupancy=metrics sends [meta]occupancy events", async () => {
    await using emulator = await startAblyEmulator()
    await using client = openRealtime(emulator, { useBinaryProtocol })
    const channel = client.channels.get("room", { params: { occupancy: "metrics" } })
    const subscribers: number[] = []
    await channel.subscribe("[meta]occupancy", ({ data }) => void subscribers.push(data.metrics.subscribers))
    await until(() => expect(subscribers).toEqual([1]))
    await using other = openRealtime(emulator, { useBinaryProtocol })
    await other.channels.get("room").attach()
    await until(() => expect(subscribers).toEqual([1, 2]))
  })

  test("§5.1m new options on an attached channel re-attach it without loss", async () => {
    await using emulator = await startAblyEmulator()
    await using client = openRealtime(emulator, { useBinaryProtocol })
    const channel = client.channels.get("room")
    const received: unknown[] = []
    await channel.subscribe((message) => void received.push(message.data))
    await channel.publish("m", "before")
    await channel.setOptions({ params: { occupancy: "metrics.publishers" } })
    expect(channel.params).toEqual({ occupancy: "metrics.publishers" })
    await channel.publish("m", "after")
    await until(() => expect(received).toContain("after"))
    expect(received.filter((data) => typeof data === "string")).toEqual(["before", "after"])
  })

  test.each(["", ":leading", "line\nbreak"])(
    "§5.1v %j is no channel name: 40010, and the connection stays",
    async (name) => {
      await using emulator = await startAblyEmulator()
      await using client = openRealtime(emulator, { useBinaryProtocol })
      expect(await errorOf(client.channels.get(name).attach())).toMatchObject({ code: 40010 })
      expect(client.connection.state).toBe("connected")
      await client.channels.get("fine").attach()
    },
  )

  test("§5.2a §5.3b DETACH is answered, and a detached channel receives nothing", async () => {
    await using emulator = await startAblyEmulator()
    await using client = openRealtime(emulator, { useBinaryProtocol })
    const channel = client.channels.get("room")
    const received: unknown[] = []
    await channel.subscribe((message) => void received.push(message.data))
    await channel.detach()
    await channel.publish("m", "unheard")
    await channel.attach()
    await channel.publish("m", "heard")
    await until(() => expect(received).toEqual(["heard"]))
  })

  test("§5.2b a DETACHED that nobody asked for makes the SDK attach again", async () => {
    await using emulator = await startAblyEmulator()
    await using client = openRealtime(emulator, { useBinaryProtocol })
    const channel = client.channels.get("room")
    await channel.attach()
    const attaching = channel.once("attaching")
    emulator.detach({ channel: "room" }, 50001)
    expect((await attaching).reason?.code).toBe(50001)
    await channel.whenState("attached")
  })

  test("§5.2c a DETACHED while attaching makes the channel suspended, and it tries again", async () => {
    await using emulator = await startAblyEmulator()
    await using client = openRealtime(emulator, { useBinaryProtocol, ...soonAgain })
    await connected(client)
    const channel = client.channels.get("room")
    emulator.faults.add({ fault: "drop", match: { direction: "outbound", action: "ATTACHED" }, times: 1 })
    const refused = errorOf(channel.attach())
    await until(() => expect(emulator.faults.list()).toEqual([]))
    const suspended = channel.once("suspended")
    emulator.detach({ channel: "room" }, 50001)
    expect((await suspended).reason?.code).toBe(50001)
    expect((await refused).code).toBe(50001)
    await channel.whenState("attached")
  })

  test("§5.2e the channel's ERROR 80016 makes the SDK only ask again", async () => {
    await using emulator = await startAblyEmulator()
    await using client = openRealtime(emulator, { useBinaryProtocol })
    const channel = client.channels.get("room")
    const states: string[] = []
    channel.on((change) => void states.push(change.current))
    emulator.faults.add({ fault: "channel-error", code: 80016, match: { action: "ATTACH" }, times: 1 })
    await channel.attach()
    expect(states).toEqual(["attaching", "attached"])
    expect(emulator.faults.list()).toEqual([])
  })

  test("§5.1o without an answer to ATTACH the channel is suspended (90007) and tries again", async () => {
    await using emulator = await startAblyEmulator()
    await using client = openRealtime(emulator, {
      useBinaryProtocol,
      realtimeRequestTimeout: 300,
      ...soonAgain,
    })
    await connected(client)
    const rule = emulator.faults.add({ fault: "drop", match: { direction: "inbound", action: "ATTACH" } })
    const channel = client.channels.get("room")
    const suspended = channel.once("suspended")
    expect((await errorOf(channel.attach())).code).toBe(90007)
    expect((await suspended).reason?.code).toBe(90007)
    rule.remove()
    await channel.whenState("attached")
  })

  test("§5.3c a suspended channel goes on where it was", async () => {
    await using emulator = await startAblyEmulator()
    await using client = openRealtime(emulator, {
      useBinaryProtocol,
      realtimeRequestTimeout: 300,
      ...soonAgain,
    })
    const channel = client.channels.get("room")
    const received: unknown[] = []
    await channel.subscribe((message) => void received.push(message.data))
    const rule = emulator.faults.add({ fault: "drop", match: { direction: "inbound", action: "ATTACH" } })
    const suspended = channel.once("suspended")
    emulator.dropConnections()
    await suspended
    await openRest(emulator, { useBinaryProtocol }).channels.get("room").publish("m", "missed")
    const attached = channel.once("attached")
    rule.remove()
    expect((await attached).resumed).toBe(true)
    await until(() => expect(received).toEqual(["missed"]))
  })

  test("§5.1n an ATTACHED that nobody asked for tells the loss of what was missed", async () => {
    await using emulator = await startAblyEmulator()
    await using client = openRealtime(emulator, { useBinaryProtocol })
    const channel = client.channels.get("room")
    const received: unknown[] = []
    await channel.subscribe((message) => void received.push(message.data))
    emulator.faults.add({ fault: "drop", match: { direction: "outbound", action: "MESSAGE" }, times: 1 })
    await channel.publish("m", "lost")
    const updated = channel.once("update")
    emulator.breakContinuity({ channel: "room" })
    expect(await updated).toMatchObject({ current: "attached", resumed: false, reason: { code: 90003 } })
    await channel.publish("m", "after")
    await until(() => expect(received).toEqual(["after"]))
    // The attach point has moved on, so history up to it has what was lost.
    const { items } = await channel.history({ untilAttach: true })
    expect(items.map((message) => message.data)).toEqual(["lost"])
  })

  test("§9f a backlog over the limit isn't replayed: attached without RESUMED, with 90004", async () => {
    await using emulator = await startAblyEmulator({ limits: { maxBacklog: 2 } })
    await using client = openRealtime(emulator, { useBinaryProtocol })
    const channel = client.channels.get("room")
    const received: unknown[] = []
    await channel.subscribe((message) => void received.push(message.data))
    const rest = openRest(emulator, { useBinaryProtocol }).channels.get("room")
    const reattachAfter = async (...missed: string[]) => {
      const attached = channel.once("attached")
      const rule = emulator.faults.add({ fault: "refuse-connection" })
      emulator.dropConnections()
      for (const text of missed) await rest.publish("m", text)
      rule.remove()
      return attached
    }
    expect(await reattachAfter("1", "2")).toMatchObject({ resumed: true })
    await until(() => expect(received).toEqual(["1", "2"]))
    expect(await reattachAfter("3", "4", "5")).toMatchObject({ resumed: false, reason: { code: 90004 } })
    await rest.publish("m", "6")
    await until(() => expect(received).toEqual(["1", "2", "6"]))
  })

  test("§5.1k §9e a channelSerial of another life of the channel attaches without RESUMED, and says 90003", async () => {
    await using emulator = await startAblyEmulator()
    await using client = openRealtime(emulator, { useBinaryProtocol })
    const channel = client.channels.get("room")
    await channel.attach()
    await channel.publish("m", "forgotten")
    emulator.forgetChannel("room")
    emulator.dropConnections()
    const change = await channel.once("attached")
    expect(change.resumed).toBe(false)
    expect(change.reason?.code).toBe(90003)
  })

  test("§5.1u a derived channel delivers what its filter lets through", async () => {
    await using emulator = await startAblyEmulator()
    await using client = openRealtime(emulator, { useBinaryProtocol })
    const derived = client.channels.getDerived("room", { filter: "name == 'wanted' && headers.level > `2`" })
    const received: unknown[] = []
    await derived.subscribe((message) => void received.push(message.data))
    const channel = client.channels.get("room")
    await channel.publish({ name: "wanted", data: "low", extras: { headers: { level: 1 } } })
    await channel.publish({ name: "other", data: "other", extras: { headers: { level: 9 } } })
    await channel.publish({ name: "wanted", data: "high", extras: { headers: { level: 3 } } })
    await until(() => expect(received).toEqual(["high"]))
  })
})

describe("attach, by raw frames", () => {
  test("§5.1h ATTACHED has a channelSerial on a channel that nobody has used, and one can go on from it", async () => {
    await using emulator = await startAblyEmulator()
    await using socket = await openRaw(emulator)
    socket.send({ action: 10, channel: "room" })
    const { channelSerial } = await socket.next("ATTACHED")
    expect(channelSerial).toEqual(expect.stringMatching(/./))
    await openRest(emulator).channels.get("room").publish("m", "first")
    await using later = await openRaw(emulator)
    later.send({ action: 10, channel: "room", channelSerial })
    expect(((await later.next("ATTACHED")).flags ?? 0) & 4).toBe(4)
    expect((await later.next("MESSAGE")).messages).toMatchObject([{ data: "first" }])
  })

  test("§5.1r rewind is ignored on a repeated ATTACH, even without a channelSerial", async () => {
    await using emulator = await startAblyEmulator()
    await openRest(emulator).channels.get("room").publish("m", "1")
    await using socket = await openRaw(emulator)
    const attach = { action: 10, channel: "room", params: { rewind: "1" } }
    socket.send({ ...attach, params: {} })
    const { channelSerial } = await socket.next("ATTACHED")
    socket.send(attach)
    socket.send({ ...attach, channelSerial })
    // Frames are answered in order, so what had been rewound would come before this answer.
    socket.send({ action: 0, id: "end" })
    await socket.next("HEARTBEAT")
    const attached = socket.frames.filter((frame) => frame.action === 11)
    expect(attached.map(({ flags = 0 }) => flags & 2)).toEqual([0, 0, 0])
    expect(socket.frames.some((frame) => frame.action === 15)).toBe(false)
  })

  test("§5.1r rewind is ignored by an ATTACH that says it is a continuation, even on a new connection", async () => {
    await using emulator = await startAblyEmulator()
    await openRest(emulator).channels.get("room").publish("m", "1")
    for (const [flags, replayed] of [
      [0, 1],
      [1 << 5, 0],
    ] as const) {
      await using socket = await openRaw(emulator)
      socket.send({ action: 10, channel: "room", flags, params: { rewind: "1" } })
      socket.send({ action: 0, id: "end" })
      await socket.next("HEARTBEAT")
      const attached = await socket.next("ATTACHED")
      expect((attached.flags ?? 0) & (2 | 4)).toBe(replayed ? 2 : 0)
      expect(attached.params).toEqual({ rewind: "1" })
      expect(socket.frames.filter((frame) => frame.action === 15)).toHaveLength(replayed)
    }
  })

  test("§5.1k §9e after two minutes the position can't be resumed: 90003", async () => {
    const clock = createManualClock()
    await using emulator = await startAblyEmulator({ clock })
    await using socket = await openRaw(emulator)
    socket.send({ action: 10, channel: "room" })
    const { channelSerial } = await socket.next("ATTACHED")
    socket.send({ action: 15, channel: "room", msgSerial: 0, messages: [{ data: "old" }] })
    await socket.next("ACK")
    clock.advance(121_000)

    await using later = await openRaw(emulator)
    later.send({ action: 10, channel: "room", channelSerial })
    const attached = await later.next("ATTACHED")
    expect(attached.error?.code).toBe(90003)
    expect((attached.flags ?? 0) & 4).toBe(0)
  })

  test("§5.1f §5.1l §5.3a within the window, what was missed follows ATTACHED with the position of each frame", async () => {
    await using emulator = await startAblyEmulator()
    await using socket = await openRaw(emulator)
    socket.send({ action: 10, channel: "room" })
    const { channelSerial } = await socket.next("ATTACHED")
    const rest = openRest(emulator).channels.get("room")
    await rest.publish("m", "1")
    await rest.publish("m", "2")

    await using later = await openRaw(emulator)
    later.send({ action: 10, channel: "room", channelSerial })
    const attached = await later.next("ATTACHED")
    expect((attached.flags ?? 0) & 4).toBe(4)
    expect(attached.channelSerial).toBe(channelSerial)
    await later.next("MESSAGE", (frame) => frame.messages?.[0]?.data === "2")
    const messages = later.frames.filter((frame) => frame.action === 15)
    expect(messages.map((frame) => frame.messages?.[0]?.data)).toEqual(["1", "2"])
    const serials = messages.map((frame) => frame.channelSerial ?? "")
    expect(serials).toEqual([...serials].sort())
  })

  test("§5.1q rewind by a time replays what is no older", async () => {
    const clock = createManualClock()
    await using emulator = await startAblyEmulator({ clock })
    const rest = openRest(emulator).channels.get("room")
    await rest.publish("m", "old")
    clock.advance(15_001)
    await rest.publish("m", "new")
    await using client = openRealtime(emulator)
    const received: unknown[] = []
    const channel = client.channels.get("room", { params: { rewind: "15s" } })
    await channel.subscribe((message) => void received.push(message.data))
    await rest.publish("m", "live")
    await until(() => expect(received).toEqual(["new", "live"]))
  })

  test("§9d a connection may be attached to no more channels than the limit: 90010", async () => {
    await using emulator = await startAblyEmulator({ limits: { maxChannelsPerConnection: 1 } })
    await using socket = await openRaw(emulator)
    socket.send({ action: 10, channel: "one" })
    await socket.next("ATTACHED")
    socket.send({ action: 10, channel: "two" })
    expect(await socket.next("ERROR")).toMatchObject({ channel: "two", error: { code: 90010 } })
  })
})
