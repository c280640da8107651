import type * as Ably from "ably"
import { describe, expect, test } from "vitest"
import { errorOf, FORMATS, openRealtime, openRest, until } from "./harness.ts"
import { startAblyEmulator } from "./server.ts"

function summaryOf(message: Ably.Message): unknown[] {
  return [message.action, message.data]
}

describe.each(FORMATS)("update, delete, append ($format)", ({ useBinaryProtocol }) => {
  test("§6.4a §6.4b a change keeps serial and timestamp and gets a new version; what it leaves out stays", async () => {
    await using emulator = await startAblyEmulator()
    await using client = openRealtime(emulator, { useBinaryProtocol, clientId: "ann" })
    const channel = client.channels.get("mutable:room")
    const received: Ably.InboundMessage[] = []
    await channel.subscribe((message) => void received.push(message))
    const { serials } = await channel.publish("greeting", "hello")
    const serial = serials[0] ?? ""
    const { versionSerial } = await channel.updateMessage(
      { serial, data: "hello there" },
      { description: "more polite", metadata: { reason: "manners" } },
    )
    await until(() => expect(received).toHaveLength(2))
    expect(received[1]).toMatchObject({
      action: "message.update",
      name: "greeting",
      data: "hello there",
      serial,
      timestamp: received[0]?.timestamp,
      version: {
        serial: versionSerial,
        clientId: "ann",
        description: "more polite",
        metadata: { reason: "manners" },
      },
    })
    expect((versionSerial ?? "") > serial).toBe(true)
  })

  test("§2.2j §6.4c §8d history has the latest version at the original place; versions has them all", async () => {
    await using emulator = await startAblyEmulator()
    const channel = openRest(emulator, { useBinaryProtocol }).channels.get("mutable:room")
    const first = (await channel.publish("m", "first")).serials[0] ?? ""
    await channel.publish("m", "second")
    await channel.updateMessage({ serial: first, data: "first, corrected" })
    expect((await channel.history()).items.map(summaryOf)).toEqual([
      ["message.create", "second"],
      ["message.update", "first, corrected"],
    ])
    expect(summaryOf(await channel.getMessage(first))).toEqual(["message.update", "first, corrected"])
    expect((await channel.getMessageVersions(first)).items.map(summaryOf)).toEqual([
      ["message.create", "first"],
      ["message.update", "first, corrected"],
    ])
    await channel.deleteMessage({ serial: first })
    expect((await channel.getMessage(first)).action).toBe("message.delete")
  })

  test("§2.2k a change by REST is answered with the serial of the version that it made", async () => {
    await using emulator = await startAblyEmulator()
    const channel = openRest(emulator, { useBinaryProtocol }).channels.get("mutable:room")
    const serial = (await channel.publish("m", "a")).serials[0] ?? ""
    const answers = [
      await channel.updateMessage({ serial, data: "b" }),
      await channel.appendMessage({ serial, data: "c" }),
      await channel.deleteMessage({ serial }),
    ]
    const versions = (await channel.getMessageVersions(serial)).items.map(({ version }) => version?.serial)
    expect([serial, ...answers.map(({ versionSerial }) => versionSerial)]).toEqual(versions)
    expect(versions).toEqual([...new Set(versions)].sort())
  })

  test("§6.4d §6.4e an append is delivered as its increment and read as the whole", async () => {
    await using emulator = await startAblyEmulator()
    await using client = openRealtime(emulator, { useBinaryProtocol })
    const channel = client.channels.get("mutable:room")
    const received: unknown[] = []
    await channel.subscribe((message) => void received.push(summaryOf(message)))
    const serial = (await channel.publish("m", "Once")).serials[0] ?? ""
    await channel.appendMessage({ serial, data: " upon" })
    await channel.appendMessage({ serial, data: " a time" })
    await until(() =>
      expect(received).toEqual([
        ["message.create", "Once"],
        ["message.append", " upon"],
        ["message.append", " a time"],
      ]),
    )
    await using late = openRealtime(emulator, { useBinaryProtocol })
    const rewound: unknown[] = []
    await late.channels
      .get("mutable:room", { params: { rewind: "1" } })
      .subscribe((message) => void rewound.push(summaryOf(message)))
    await until(() => expect(rewound).toEqual([["message.update", "Once upon a time"]]))
  })

  test("§6.4f -own reaches one's own messages, -any all, neither none", async () => {
    const keys = [
      { capability: { "*": ["publish", "history", "message-update-own"] } },
      { capability: { "*": ["publish", "message-update-any", "message-delete-any"] } },
    ]
    await using emulator = await startAblyEmulator({
      apps: [{ keys, namespaces: [{ id: "room", mutableMessages: true }] }],
    })
    const [owner, moderator] = emulator.apps[0]?.keys.map((key) => key.keyStr) ?? []
    const as = (clientId: string, key = owner) =>
      openRest(emulator, { useBinaryProtocol, clientId, ...(key ? { key } : {}) }).channels.get("room")
    const serial = (await as("ann").publish("m", "ann's")).serials[0] ?? ""
    await as("ann").updateMessage({ serial, data: "ann's own" })
    expect((await errorOf(as("bob").updateMessage({ serial, data: "bob's" }))).code).toBe(40160)
    expect((await errorOf(as("ann").deleteMessage({ serial }))).code).toBe(40160)
    await as("mod", moderator).deleteMessage({ serial })
  })

  test("§6.4g where mutable messages are off it is 93002, and an unknown serial is 40400", async () => {
    await using emulator = await startAblyEmulator()
    const { channels } = openRest(emulator, { useBinaryProtocol })
    const serial = (await channels.get("room").publish("m", "x")).serials[0] ?? ""
    expect((await errorOf(channels.get("room").updateMessage({ serial, data: "y" }))).code).toBe(93002)
    const unknown = errorOf(channels.get("mutable:room").updateMessage({ serial: "none", data: "y" }))
    expect(await unknown).toMatchObject({ code: 40400, statusCode: 404 })
  })
})

describe.each(FORMATS)("annotations ($format)", ({ useBinaryProtocol }) => {
  test("§6.5a §6.5b §6.5c annotations reach those who asked, and everyone gets the summary", async () => {
    await using emulator = await startAblyEmulator()
    await using ann = openRealtime(emulator, { useBinaryProtocol, clientId: "ann" })
    await using bob = openRealtime(emulator, { useBinaryProtocol, clientId: "bob" })
    const watched = ann.channels.get("mutable:room", {
      modes: ["PUBLISH", "SUBSCRIBE", "ANNOTATION_PUBLISH", "ANNOTATION_SUBSCRIBE"],
    })
    const annotations: Ably.Annotation[] = []
    await watched.annotations.subscribe((annotation) => void annotations.push(annotation))
    const plain = bob.channels.get("mutable:room")
    const summaries: unknown[] = []
    await plain.subscribe((message) => {
      if (message.action === "message.summary") summaries.push(message.annotations.summary)
    })
    const serial = (await watched.publish("m", "vote")).serials[0] ?? ""
    await watched.annotations.publish(serial, { type: "vote:unique.v1", name: "yes" })
    await plain.annotations.publish(serial, { type: "vote:unique.v1", name: "yes" })
    await plain.annotations.publish(serial, { type: "vote:unique.v1", name: "no" })
    const ofClient = (...clientIds: string[]) => ({ total: clientIds.length, clientIds, clipped: false })
    await until(() =>
      expect(summaries).toEqual([
        { "vote:unique.v1": { yes: ofClient("ann") } },
        { "vote:unique.v1": { yes: ofClient("ann", "bob") } },
        { "vote:unique.v1": { yes: ofClient("ann"), no: ofClient("bob") } },
      ]),
    )
    expect(annotations.map(({ clientId, name }) => [clientId, name])).toEqual([
      ["ann", "yes"],
      ["bob", "yes"],
      ["bob", "no"],
    ])
    expect(annotations[0]).toMatchObject({ messageSerial: serial, action: "annotation.create" })
    expect((annotations[0]?.serial ?? "") > serial).toBe(true)
  })

  test("§2.2l §6.5d §8d by REST: publish, delete, list, and the summary in history", async () => {
    await using emulator = await startAblyEmulator()
    const channel = openRest(emulator, { useBinaryProtocol, clientId: "ann" }).channels.get("mutable:room")
    const serial = (await channel.publish("m", "x")).serials[0] ?? ""
    await channel.annotations.publish(serial, { type: "like:flag.v1" })
    await channel.annotations.publish(serial, { type: "views:total.v1" })
    await channel.annotations.publish(serial, { type: "clap:multiple.v1", name: "👏", count: 3 })
    await channel.annotations.delete(serial, { type: "like:flag.v1" })
    expect((await channel.annotations.get(serial, { limit: 2 })).items.map(({ type }) => type)).toEqual([
      "like:flag.v1",
      "views:total.v1",
    ])
    const [message] = (await channel.history()).items
    expect(message?.annotations.summary).toEqual({
      "like:flag.v1": { total: 0, clientIds: [], clipped: false },
      "views:total.v1": { total: 1 },
      "clap:multiple.v1": {
        "👏": { total: 3, clientIds: { ann: 3 }, totalUnidentified: 0, totalClientIds: 1, clipped: false },
      },
    })
  })

  test("§6.5f a type without a method is stored and delivered, and sums nothing up", async () => {
    await using emulator = await startAblyEmulator()
    await using client = openRealtime(emulator, { useBinaryProtocol })
    const channel = client.channels.get("mutable:room", {
      modes: ["PUBLISH", "SUBSCRIBE", "ANNOTATION_PUBLISH", "ANNOTATION_SUBSCRIBE"],
    })
    const [received, messages]: [string[], unknown[]] = [[], []]
    await channel.annotations.subscribe(({ type }) => void received.push(type))
    await channel.subscribe(({ action, annotations }) => void messages.push([action, annotations.summary]))
    const serial = (await channel.publish("m", "x")).serials[0] ?? ""
    for (const type of ["comment", "team:note", "like:total.v1", "comment"])
      await channel.annotations.publish(serial, { type, data: "well done" })
    await until(() => expect(received).toEqual(["comment", "team:note", "like:total.v1", "comment"]))
    const listed = await channel.annotations.get(serial, {})
    expect(listed.items.map(({ type, data }) => [type, data])).toEqual(
      received.map((type) => [type, "well done"]),
    )
    const summary = { "like:total.v1": { total: 1 } }
    expect(messages).toEqual([
      ["message.create", {}],
      ["message.summary", summary],
    ])
    expect((await channel.history()).items[0]?.annotations.summary).toEqual(summary)
  })

  test.each([
    [{ type: "" }, 40003],
    [{ type: ":total.v1" }, 40003],
    [{ type: "vote:nonsense.v1" }, 40003],
    [{ type: "vote:unique.v1" }, 40003],
    [{ type: "like:flag.v1" }, 40161],
  ])("§6.5e %j is refused with %i", async (annotation, code) => {
    await using emulator = await startAblyEmulator()
    const channel = openRest(emulator, { useBinaryProtocol }).channels.get("mutable:room")
    const serial = (await channel.publish("m", "x")).serials[0] ?? ""
    expect((await errorOf(channel.annotations.publish(serial, annotation))).code).toBe(code)
  })
})
