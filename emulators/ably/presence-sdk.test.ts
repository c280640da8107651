import { describe, expect, test } from "vitest"
import { createManualClock } from "./clock.ts"
import { connected, errorOf, FORMATS, openRaw, openRealtime, openRest, until } from "./harness.ts"
import { startAblyEmulator } from "./server.ts"

describe.each(FORMATS)("presence ($format)", ({ useBinaryProtocol }) => {
  test("§7a enter, update and leave reach the others and oneself", async () => {
    await using emulator = await startAblyEmulator()
    await using ann = openRealtime(emulator, { useBinaryProtocol, clientId: "ann" })
    await using bob = openRealtime(emulator, { useBinaryProtocol, clientId: "bob" })
    const seen: unknown[] = []
    await bob.channels
      .get("room")
      .presence.subscribe(({ action, clientId, data }) => void seen.push([action, clientId, data]))
    const presence = ann.channels.get("room").presence
    await presence.enter({ mood: "happy" })
    await presence.update("tired")
    await presence.leave()
    await until(() =>
      expect(seen).toEqual([
        ["enter", "ann", { mood: "happy" }],
        ["update", "ann", "tired"],
        // A leave without data repeats the last.
        ["leave", "ann", "tired"],
      ]),
    )
    expect(await bob.channels.get("room").presence.get()).toEqual([])
  })

  test("§7b one's own members reach oneself without PRESENCE_SUBSCRIBE, others' don't", async () => {
    await using emulator = await startAblyEmulator()
    await using ann = openRealtime(emulator, { useBinaryProtocol, clientId: "ann" })
    await using bob = openRealtime(emulator, { useBinaryProtocol, clientId: "bob" })
    const seen: unknown[] = []
    const room = ann.channels.get("room", { modes: ["PRESENCE"] })
    await room.attach()
    expect(room.modes).toEqual(["presence"])
    await room.presence.subscribe(({ action, clientId }) => void seen.push([action, clientId]))
    await room.presence.enter()
    await bob.channels.get("room").presence.enter()
    await room.presence.update("still")
    await until(() =>
      expect(seen).toEqual([
        ["enter", "ann"],
        ["update", "ann"],
      ]),
    )
  })

  test("§7e a second enter is delivered as an update", async () => {
    await using emulator = await startAblyEmulator()
    await using ann = openRealtime(emulator, { useBinaryProtocol, clientId: "ann" })
    await using bob = openRealtime(emulator, { useBinaryProtocol, clientId: "bob" })
    const seen: unknown[] = []
    await bob.channels.get("room").presence.subscribe(({ action, data }) => void seen.push([action, data]))
    await ann.channels.get("room").presence.enter("once")
    await ann.channels.get("room").presence.enter("again")
    await until(() =>
      expect(seen).toEqual([
        ["enter", "once"],
        ["update", "again"],
      ]),
    )
    const members = await bob.channels.get("room").presence.get()
    expect(members.map(({ clientId, data }) => [clientId, data])).toEqual([["ann", "again"]])
  })

  test("§7m a member that isn't in a SYNC any more is gone", async () => {
    await using emulator = await startAblyEmulator()
    await using host = openRealtime(emulator, { useBinaryProtocol })
    await using watcher = openRealtime(emulator, { useBinaryProtocol, clientId: "watcher" })
    const members = host.channels.get("room").presence
    for (const name of ["leaving", "staying"]) await members.enterClient(name, "")
    const { presence } = watcher.channels.get("room")
    const events: unknown[] = []
    await presence.subscribe("leave", ({ clientId }) => void events.push(clientId))
    expect(await presence.get()).toHaveLength(2)
    emulator.faults.add({
      fault: "drop",
      match: { direction: "outbound", action: "PRESENCE", clientId: "watcher" },
      times: 1,
    })
    await members.leaveClient("leaving")
    emulator.breakContinuity({ channel: "room", clientId: "watcher" })
    await until(() => expect(events).toEqual(["leaving"]))
    expect((await presence.get()).map(({ clientId }) => clientId)).toEqual(["staying"])
  })

  test("§7l a late attacher gets the members by SYNC, in pages", async () => {
    await using emulator = await startAblyEmulator({
      limits: { syncPageSize: 7, maxInboundRate: 1000, maxChannelRate: 1000 },
    })
    await using host = openRealtime(emulator, { useBinaryProtocol })
    const names = Array.from({ length: 20 }, (_, index) => `member-${index}`)
    await Promise.all(names.map((name) => host.channels.get("room").presence.enterClient(name, name)))
    await using guest = openRealtime(emulator, { useBinaryProtocol })
    const members = await guest.channels.get("room").presence.get()
    expect(members.map((member) => member.clientId).sort()).toEqual([...names].sort())
    expect(new Set(members.map((member) => member.action))).toEqual(new Set(["present"]))
  })

  test("§7d two connections of one clientId are two members", async () => {
    await using emulator = await startAblyEmulator()
    await using one = openRealtime(emulator, { useBinaryProtocol, clientId: "ann" })
    await using two = openRealtime(emulator, { useBinaryProtocol, clientId: "ann" })
    await one.channels.get("room").presence.enter()
    await two.channels.get("room").presence.enter()
    await until(async () => expect(await one.channels.get("room").presence.get()).toHaveLength(2))
  })

  test("§7c enterClient needs a key or a `*` token: 40012", async () => {
    await using emulator = await startAblyEmulator()
    const { token } = await openRest(emulator).auth.requestToken({ clientId: "ann" })
    await using client = openRealtime(emulator, { useBinaryProtocol, token })
    expect((await errorOf(client.channels.get("room").presence.enterClient("bob", ""))).code).toBe(40012)
    const anyone = await openRest(emulator).auth.requestToken({ clientId: "*" })
    await using host = openRealtime(emulator, { useBinaryProtocol, token: anyone.token })
    await host.channels.get("room").presence.enterClient("bob", "")
  })

  test("§7g leaving by CLOSE and by DETACH is immediate", async () => {
    await using emulator = await startAblyEmulator()
    await using watcher = openRealtime(emulator, { useBinaryProtocol })
    const gone: unknown[] = []
    await watcher.channels.get("room").presence.subscribe("leave", ({ clientId }) => void gone.push(clientId))
    const closing = openRealtime(emulator, { useBinaryProtocol, clientId: "closing" })
    await using detaching = openRealtime(emulator, { useBinaryProtocol, clientId: "detaching" })
    await closing.channels.get("room").presence.enter()
    await detaching.channels.get("room").presence.enter()
    closing.close()
    await until(() => expect(gone).toEqual(["closing"]))
    await detaching.channels.get("room").detach()
    await until(() => expect(gone).toEqual(["closing", "detaching"]))
  })

  test("§7h §7k a member whose socket drops and resumes stays, and nobody sees it leave", async () => {
    await using emulator = await startAblyEmulator()
    await using watcher = openRealtime(emulator, { useBinaryProtocol })
    const events: unknown[] = []
    await watcher.channels.get("room").presence.subscribe(({ action }) => void events.push(action))
    await using client = openRealtime(emulator, { useBinaryProtocol, clientId: "ann" })
    await client.channels.get("room").presence.enter("here")
    await until(() => expect(events).toEqual(["enter"]))
    const resumed = client.channels.get("room").once("attached")
    emulator.dropConnections({ clientId: "ann" })
    await resumed
    await client.channels.get("room").presence.update("still")
    await until(() => expect(events).toEqual(["enter", "update"]))
  })

  test("§7j after a lost connection the SDK enters its members again under the new one", async () => {
    await using emulator = await startAblyEmulator()
    await using client = openRealtime(emulator, { useBinaryProtocol, clientId: "ann" })
    await client.channels.get("room").presence.enter("here")
    emulator.dropConnections()
    emulator.forgetConnections()
    await client.connection.once("connected")
    const rest = openRest(emulator, { useBinaryProtocol }).channels.get("room")
    await until(async () => {
      const { items } = await rest.presence.get({ connectionId: client.connection.id ?? "" })
      expect(items.map((member) => member.data)).toEqual(["here"])
    })
  })

  test("§2.2n §2.2o REST presence: filters, pages and history", async () => {
    await using emulator = await startAblyEmulator()
    await using client = openRealtime(emulator, { useBinaryProtocol })
    const presence = client.channels.get("room").presence
    for (const name of ["a", "b", "c"]) await presence.enterClient(name, `data of ${name}`)
    await presence.leaveClient("b")
    const rest = openRest(emulator, { useBinaryProtocol }).channels.get("room").presence
    const page = await rest.get({ limit: 1 })
    expect(page.items).toMatchObject([{ clientId: "a", action: "present", data: "data of a" }])
    expect((await page.next())?.items).toMatchObject([{ clientId: "c" }])
    expect((await rest.get({ clientId: "c" })).items).toHaveLength(1)
    const history = await rest.history()
    expect(history.items.map(({ action, clientId }) => [action, clientId])).toEqual([
      ["leave", "b"],
      ["enter", "c"],
      ["enter", "b"],
      ["enter", "a"],
    ])
  })

  test("§2.2t members are read over REST by who may subscribe or be present, and by nobody else", async () => {
    const keys = ["subscribe", "presence", "publish", "history"].map((operation) => ({
      id: operation,
      capability: { room: [operation] },
    }))
    await using emulator = await startAblyEmulator({
      apps: [{ id: "app", keys, channels: [{ name: "room", presence: [{ clientId: "ann" }] }] }],
    })
    const [app] = emulator.apps
    for (const { id, keyStr } of app?.keys ?? []) {
      const rest = openRest(emulator, { useBinaryProtocol, key: keyStr })
      const { presence } = rest.channels.get("room")
      const batch = await rest.batchPresence(["room"])
      if (id === "subscribe" || id === "presence") {
        expect((await presence.get()).items).toMatchObject([{ clientId: "ann" }])
        expect(batch).toMatchObject({ results: [{ presence: [{ clientId: "ann" }] }] })
      } else {
        expect(await errorOf(presence.get())).toMatchObject({ code: 40160, statusCode: 401 })
        expect(batch).toMatchObject({ results: [{ error: { code: 40160 } }] })
      }
    }
  })

  test("§9d a channel holds no more members than the limit: 91003", async () => {
    await using emulator = await startAblyEmulator({ limits: { maxPresenceMembers: 1 } })
    await using client = openRealtime(emulator, { useBinaryProtocol })
    const presence = client.channels.get("room").presence
    await presence.enterClient("one", "")
    expect((await errorOf(presence.enterClient("two", ""))).code).toBe(91003)
    await presence.updateClient("one", "again")
  })

  test("the sandbox's presence fixtures are members from the beginning", async () => {
    const presence = [{ clientId: "client_json", data: '{"a":1}', encoding: "json" }]
    await using emulator = await startAblyEmulator({ apps: [{ channels: [{ name: "fixtures", presence }] }] })
    await using client = openRealtime(emulator, { useBinaryProtocol })
    const members = await client.channels.get("fixtures").presence.get()
    expect(members).toMatchObject([{ clientId: "client_json", data: { a: 1 } }])
  })
})

describe("presence, on a clock of its own", () => {
  test("§7f §7i a dropped member leaves after 15 s with a synthesized leave", async () => {
    const clock = createManualClock()
    await using emulator = await startAblyEmulator({ clock })
    await using watcher = await openRaw(emulator)
    watcher.send({ action: 10, channel: "room" })
    await watcher.next("ATTACHED")
    const member = await openRaw(emulator, { clientId: "ann" })
    const { connectionId = "" } = await member.next("CONNECTED")
    member.send({ action: 10, channel: "room" })
    await member.next("ATTACHED")
    member.send({ action: 14, channel: "room", msgSerial: 0, presence: [{ action: 2, data: "here" }] })
    const entered = await watcher.next("PRESENCE")
    expect(entered.presence?.[0]?.id).toBe(`${connectionId}:0:0`)

    await member[Symbol.asyncDispose]()
    const app = [...emulator.service.apps.values()][0]
    await until(() => expect(app?.connections.get(connectionId)?.transport).toBeUndefined())
    clock.advance(14_999)
    expect(app?.channels.get("room")?.presence.size()).toBe(1)
    clock.advance(1)
    const left = await watcher.next("PRESENCE", (frame) => frame.presence?.[0]?.action === 3)
    expect(left.presence?.[0]).toMatchObject({ clientId: "ann", connectionId, data: "here" })
    expect(left.presence?.[0]?.id).not.toMatch(new RegExp(`^${connectionId}`))
  })

  test("§5.1e HAS_PRESENCE if there are members, and a SYNC follows", async () => {
    await using emulator = await startAblyEmulator()
    await using host = openRealtime(emulator, { clientId: "ann" })
    await host.channels.get("full").presence.enter("here")
    await using socket = await openRaw(emulator)
    socket.send({ action: 10, channel: "empty" })
    socket.send({ action: 10, channel: "full" })
    const flagOf = async (channel: string) =>
      ((await socket.next("ATTACHED", (frame) => frame.channel === channel)).flags ?? 0) & 1
    expect(await flagOf("empty")).toBe(0)
    expect(await flagOf("full")).toBe(1)
    const sync = await socket.next("SYNC")
    expect(sync).toMatchObject({ channel: "full", presence: [{ action: 1, clientId: "ann", data: "here" }] })
    expect(socket.frames.map((frame) => frame.action)).toEqual([4, 11, 11, 16])
  })

  test("§7o presence on a channel that isn't attached is 91001", async () => {
    await using emulator = await startAblyEmulator()
    await using socket = await openRaw(emulator, { clientId: "ann" })
    socket.send({ action: 14, channel: "room", msgSerial: 0, presence: [{ action: 2 }] })
    expect((await socket.next("NACK")).error?.code).toBe(91001)
  })

  test("§7n SYNC from the client asks for the rest from a cursor on", async () => {
    await using emulator = await startAblyEmulator({ limits: { syncPageSize: 1 } })
    await using host = openRealtime(emulator)
    await connected(host)
    for (const name of ["a", "b", "c"]) await host.channels.get("room").presence.enterClient(name, "")
    await using socket = await openRaw(emulator)
    socket.send({ action: 10, channel: "room" })
    const first = await socket.next("SYNC")
    await socket.next("SYNC", (frame) => /:$/.test(frame.channelSerial ?? ""))
    const count = socket.frames.length
    socket.send({ action: 16, channel: "room", channelSerial: first.channelSerial })
    await until(() => expect(socket.frames).toHaveLength(count + 2))
    expect(socket.frames.slice(count).map((frame) => frame.presence?.[0]?.clientId)).toEqual(["b", "c"])
  })
})
