import { describe, expect, test } from "vitest"
import { createManualClock } from "./clock.ts"
import { connected, errorOf, openRaw, openRealtime, openRest, until } from "./harness.ts"
import { type AblyEmulator, startAblyEmulator } from "./server.ts"

/** A subscriber's data so far, and a way to publish text from elsewhere. */
async function openRoom(emulator: AblyEmulator) {
  const client = openRealtime(emulator, { clientId: "listener" })
  const received: unknown[] = []
  await client.channels.get("room").subscribe((message) => void received.push(message.data))
  const rest = openRest(emulator).channels.get("room")
  const say = async (...texts: string[]) => {
    for (const text of texts) await rest.publish("m", text)
  }
  return { client, received, say, [Symbol.asyncDispose]: () => client[Symbol.asyncDispose]() }
}

const MESSAGES = { direction: "outbound", action: "MESSAGE", channel: "room" } as const

describe("faults on frames", () => {
  test("drop: it never arrives, and the next does", async () => {
    await using emulator = await startAblyEmulator()
    await using room = await openRoom(emulator)
    emulator.faults.add({ fault: "drop", match: MESSAGES, times: 1 })
    await room.say("lost", "kept")
    await until(() => expect(room.received).toEqual(["kept"]))
  })

  test("duplicate: it arrives twice", async () => {
    await using emulator = await startAblyEmulator()
    await using room = await openRoom(emulator)
    emulator.faults.add({ fault: "duplicate", match: MESSAGES, times: 1 })
    await room.say("twice", "once")
    await until(() => expect(room.received).toEqual(["twice", "twice", "once"]))
  })

  test("reorder: it changes places with the next", async () => {
    await using emulator = await startAblyEmulator()
    await using room = await openRoom(emulator)
    emulator.faults.add({ fault: "reorder", match: MESSAGES, times: 1 })
    await room.say("1", "2", "3")
    await until(() => expect(room.received).toEqual(["2", "1", "3"]))
  })

  test("delay: it and what follows wait, by the emulator's clock", async () => {
    const clock = createManualClock()
    await using emulator = await startAblyEmulator({ clock })
    await using room = await openRoom(emulator)
    emulator.faults.add({ fault: "delay", delayMs: 60_000, match: MESSAGES, times: 1 })
    await room.say("1", "2")
    clock.advance(59_999)
    expect(room.received).toEqual([])
    clock.advance(1)
    await until(() => expect(room.received).toEqual(["1", "2"]))
  })

  test("cut: the socket ends instead of the frame, which a resume delivers", async () => {
    await using emulator = await startAblyEmulator()
    await using room = await openRoom(emulator)
    emulator.faults.add({ fault: "cut", match: MESSAGES, times: 1 })
    await room.say("1", "2")
    await until(() => expect(room.received).toEqual(["1", "2"]))
  })

  test("§4.3e half-open: nothing more in either direction, until the client gives up and resumes", async () => {
    await using emulator = await startAblyEmulator({ limits: { maxIdleInterval: 20 } })
    await using client = openRealtime(emulator, { realtimeRequestTimeout: 200 })
    const received: unknown[] = []
    const channel = client.channels.get("room")
    await channel.subscribe((message) => void received.push(message.data))
    const { id } = client.connection
    const disconnected = client.connection.once("disconnected")
    emulator.faults.add({ fault: "half-open", match: { direction: "inbound", action: "MESSAGE" }, times: 1 })
    const published = channel.publish("m", "into the void")
    expect((await disconnected).reason?.code).toBe(80003)
    await published
    expect(client.connection.id).toBe(id)
    await until(() => expect(received).toEqual(["into the void"]))
  })

  test("§9g nack: the publish is refused with the code, and nothing happens", async () => {
    await using emulator = await startAblyEmulator()
    await using room = await openRoom(emulator)
    emulator.faults.add({
      fault: "nack",
      code: 42910,
      match: { direction: "inbound", action: "MESSAGE" },
      times: 1,
    })
    const error = await errorOf(room.client.channels.get("room").publish("m", "x"))
    expect(error).toMatchObject({ code: 42910, statusCode: 429 })
    await room.client.channels.get("room").publish("m", "y")
    await until(() => expect(room.received).toEqual(["y"]))
  })

  test("§5.2d channel-error: the attach fails with the code", async () => {
    await using emulator = await startAblyEmulator()
    await using client = openRealtime(emulator)
    emulator.faults.add({ fault: "channel-error", code: 40160, match: { action: "ATTACH", channel: "room" } })
    expect((await errorOf(client.channels.get("room").attach())).code).toBe(40160)
    await client.channels.get("other").attach()
  })

  test("§9e discontinuity: a resumed attach loses its place and says so", async () => {
    await using emulator = await startAblyEmulator()
    await using room = await openRoom(emulator)
    emulator.faults.add({ fault: "discontinuity", match: { action: "ATTACH" }, times: 1 })
    emulator.dropConnections()
    const change = await room.client.channels.get("room").once("attached")
    expect(change).toMatchObject({ resumed: false, reason: { code: 90005 } })
  })

  test("§9g refuse-connection: CONNECTED doesn't come, the client tries again", async () => {
    await using emulator = await startAblyEmulator()
    const rule = emulator.faults.add({ fault: "refuse-connection", code: 50003 })
    await using client = openRealtime(emulator)
    expect((await client.connection.once("disconnected")).reason?.code).toBe(50003)
    rule.remove()
    await connected(client)
  })

  test("§4.4f §9g disconnect and fail strike a chosen client, and only it", async () => {
    await using emulator = await startAblyEmulator()
    await using one = openRealtime(emulator, { clientId: "one" })
    await using two = openRealtime(emulator, { clientId: "two" })
    await Promise.all([connected(one), connected(two)])
    emulator.faults.add({ fault: "fail", code: 40300, match: { clientId: "one", action: "ATTACH" } })
    const failed = one.connection.once("failed")
    one.channels
      .get("room")
      .attach()
      .catch(() => {})
    expect((await failed).reason?.code).toBe(40300)
    await two.channels.get("room").attach()
  })

  test("skip lets the first matches pass", async () => {
    await using emulator = await startAblyEmulator()
    await using room = await openRoom(emulator)
    emulator.faults.add({ fault: "drop", match: MESSAGES, skip: 1, times: 1 })
    await room.say("1", "2", "3")
    await until(() => expect(room.received).toEqual(["1", "3"]))
  })

  test("a probability is drawn from the seed, so that it repeats", async () => {
    const run = async () => {
      await using emulator = await startAblyEmulator({ seed: 7 })
      await using room = await openRoom(emulator)
      emulator.faults.add({ fault: "drop", probability: 0.5, match: MESSAGES })
      await room.say("1", "2", "3", "4", "5", "6", "7", "8")
      emulator.faults.clear()
      await room.say("end")
      await until(() => expect(room.received.at(-1)).toBe("end"))
      return room.received
    }
    const first = await run()
    expect(first.length).toBeLessThan(9)
    expect(await run()).toEqual(first)
  })
})

describe("faults on REST", () => {
  test("§9g refuse: answered with the status and code", async () => {
    await using emulator = await startAblyEmulator()
    emulator.faults.add({
      fault: "refuse",
      statusCode: 503,
      code: 50004,
      match: { path: "/channels/" },
      times: 1,
    })
    const channel = openRest(emulator).channels.get("room")
    expect(await errorOf(channel.publish("m", "x"))).toMatchObject({ code: 50004, statusCode: 503 })
    await channel.publish("m", "x")
  })

  test("malformed: a body that can't be read", async () => {
    await using emulator = await startAblyEmulator()
    emulator.faults.add({ fault: "malformed", match: { channel: "room", method: "GET" } })
    const rest = openRest(emulator, { useBinaryProtocol: false })
    expect(await errorOf(rest.channels.get("room").history())).toBeInstanceOf(SyntaxError)
    await rest.channels.get("other").history()
  })

  test("slow: answered later, by the emulator's clock", async () => {
    const clock = createManualClock()
    await using emulator = await startAblyEmulator({ clock })
    emulator.faults.add({ fault: "slow", delayMs: 5000, times: 1 })
    let isDone = false
    const publishing = openRest(emulator)
      .channels.get("room")
      .publish("m", "x")
      .then(() => {
        isDone = true
      })
    await until(() => expect(emulator.faults.list()).toEqual([]))
    clock.advance(4999)
    expect(isDone).toBe(false)
    clock.advance(1)
    await publishing
  })

  test("abort: the socket ends without an answer", async () => {
    await using emulator = await startAblyEmulator()
    emulator.faults.add({ fault: "abort", times: 1 })
    const channel = openRest(emulator).channels.get("room")
    await errorOf(channel.publish("m", "x"))
    expect((await channel.history()).items).toEqual([])
  })

  test("a fault of one app leaves the others alone", async () => {
    await using emulator = await startAblyEmulator({ apps: [{}, {}] })
    const [one, other] = emulator.apps
    emulator.faults.add({ fault: "refuse", match: { appId: one?.appId ?? "" } })
    const restOf = (app: typeof one) =>
      openRest(emulator, { key: app?.keys[0]?.keyStr ?? "" }).channels.get("room")
    await errorOf(restOf(one).publish("m", "x"))
    await restOf(other).publish("m", "x")
  })
})

describe("the control endpoint", () => {
  const post = (emulator: AblyEmulator, path: string, body: object = {}) =>
    fetch(`${emulator.url}/__emulator/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    })

  test.each(["__proto__", "constructor", "toString", "nothing"])("knows no operation %s", async (name) => {
    await using emulator = await startAblyEmulator()
    expect((await post(emulator, name)).status).toBe(404)
  })

  test("is driven by no web page of another origin", async () => {
    await using emulator = await startAblyEmulator()
    const url = `${emulator.url}/__emulator/faults`
    for (const type of [
      "text/plain",
      "application/x-www-form-urlencoded",
      "multipart/form-data; boundary=x",
    ]) {
      const headers = { "content-type": type }
      expect((await fetch(url, { method: "POST", headers, body: '{"fault":"drop"}' })).status).toBe(415)
    }
    const preflight = await fetch(url, { method: "OPTIONS" })
    expect(preflight.headers.get("access-control-allow-origin")).toBeNull()
    expect(emulator.faults.list()).toEqual([])
  })

  test("takes no fault that makes no sense, and names the field", async () => {
    await using emulator = await startAblyEmulator()
    for (const [field, wrong] of [
      ["fault", {}],
      ["fault", { fault: "nonsense" }],
      ["times", { fault: "drop", times: "once" }],
      ["skip", { fault: "drop", skip: -1 }],
      ["probability", { fault: "drop", probability: 2 }],
      ["delayMs", { fault: "slow", delayMs: "long" }],
      ["delayMs", { fault: "slow", delayMs: 1e12 }],
      ["code", { fault: "fail", code: "40000" }],
      ["statusCode", { fault: "refuse", statusCode: 99 }],
      ["statusCode", { fault: "refuse", statusCode: 1e9 }],
      ["message", { fault: "refuse", message: {} }],
      ["when", { fault: "abort", when: "later" }],
      ["match", { fault: "drop", match: "room" }],
      ["match.channel", { fault: "drop", match: { channel: 1 } }],
      ["match.path", { fault: "refuse", match: { path: ["/"] } }],
      ["match.action", { fault: "drop", match: { action: "NOTHING" } }],
      ["match.direction", { fault: "drop", match: { direction: "up" } }],
      ["match.chanel", { fault: "drop", match: { chanel: "room" } }],
      ["channel", { fault: "drop", channel: "room" }],
      ["match.times", { fault: "drop", match: { times: 1 } }],
      ["__proto__", JSON.parse('{"fault":"drop","__proto__":1}')],
    ]) {
      const response = await post(emulator, "faults", wrong)
      expect([wrong, response.status]).toEqual([wrong, 400])
      expect((await response.json()).error.message).toContain(`${field} is `)
    }
    expect(emulator.faults.list()).toEqual([])
  })

  test("adds, lists and removes faults", async () => {
    await using emulator = await startAblyEmulator()
    const added = await (await post(emulator, "faults", { fault: "refuse", code: 50000 })).json()
    expect(added).toMatchObject({ id: expect.any(String), fault: "refuse" })
    await errorOf(openRest(emulator).channels.get("room").publish("m", "x"))
    const listed = await (await fetch(`${emulator.url}/__emulator/faults`)).json()
    expect(listed).toMatchObject([{ id: added.id, struck: 1 }])
    await fetch(`${emulator.url}/__emulator/faults/${added.id}`, { method: "DELETE" })
    await openRest(emulator).channels.get("room").publish("m", "x")
    await post(emulator, "faults", { fault: "refuse" })
    await fetch(`${emulator.url}/__emulator/faults`, { method: "DELETE" })
    expect(emulator.faults.list()).toEqual([])
  })

  test("drops, disconnects and fails connections, and shows them", async () => {
    await using emulator = await startAblyEmulator()
    await using client = openRealtime(emulator, { clientId: "ann" })
    await client.channels.get("room").attach()
    const shown = await (await fetch(`${emulator.url}/__emulator/connections`)).json()
    expect(shown).toMatchObject([{ clientId: "ann", isConnected: true, channels: ["room"] }])
    for (const operation of ["drop-connections", "disconnect"]) {
      const disconnected = client.connection.once("disconnected")
      expect((await post(emulator, operation, { clientId: "ann" })).status).toBe(204)
      await disconnected
      await connected(client)
    }
    const failed = client.connection.once("failed")
    await post(emulator, "fail", { clientId: "ann", code: 40300 })
    expect((await failed).reason?.code).toBe(40300)
  })

  test("sets the clock, limits and quota", async () => {
    await using emulator = await startAblyEmulator()
    await post(emulator, "clock", { skewMs: 3_600_000 })
    expect((await openRest(emulator).time()) - Date.now()).toBeGreaterThan(3_500_000)
    await post(emulator, "limits", { maxMessageSize: 4 })
    const channel = openRest(emulator).channels.get("room")
    expect((await errorOf(channel.publish({ data: "12345" }))).code).toBe(40009)
    await post(emulator, "over-quota")
    expect((await errorOf(channel.publish({ data: "1" }))).code).toBe(40112)
    await post(emulator, "over-quota", { overQuota: false })
    await channel.publish({ data: "1" })
  })

  test("ends tokens, asks for new ones, detaches, forgets", async () => {
    await using emulator = await startAblyEmulator()
    const rest = openRest(emulator)
    await using client = openRealtime(emulator, {
      authCallback: (_, done) => void rest.auth.createTokenRequest().then((request) => done(null, request)),
    })
    const channel = client.channels.get("room")
    await channel.attach()
    const updated = client.connection.once("update")
    await post(emulator, "request-reauth")
    await updated
    for (const [operation, code] of [
      ["expire-tokens", 40142],
      ["revoke-tokens", 40141],
    ] as const) {
      const disconnected = client.connection.once("disconnected")
      await post(emulator, operation)
      expect((await disconnected).reason?.code).toBe(code)
      await connected(client)
      await channel.whenState("attached")
    }
    const attaching = channel.once("attaching")
    await post(emulator, "detach", { channel: "room" })
    await attaching
    await channel.whenState("attached")
    const discontinued = channel.once("update")
    await post(emulator, "break-continuity", { channel: "room", code: 90005 })
    expect((await discontinued).reason?.code).toBe(90005)
    await post(emulator, "forget-channel", { channel: "room" })
    await post(emulator, "forget-connections")
  })

  test("says what is wrong with a request", async () => {
    await using emulator = await startAblyEmulator()
    for (const [path, body] of [
      ["faults", { fault: "explode" }],
      ["faults", { fault: "drop", match: { action: "SHOUT" } }],
      ["detach", {}],
      ["disconnect", { code: "80003" }],
    ] as const) {
      const response = await post(emulator, path, body)
      expect(response.status).toBe(400)
      expect(await response.json()).toMatchObject({ error: { code: 40000 } })
    }
    expect((await post(emulator, "nonsense")).status).toBe(404)
    expect((await fetch(`${emulator.url}/__emulator/apps`)).status).toBe(200)
  })
})

test("§4.5i a new socket supersedes a half-open one", async () => {
  await using emulator = await startAblyEmulator()
  await using first = await openRaw(emulator)
  const { connectionId, connectionKey = "" } = await first.next("CONNECTED")
  await using second = await openRaw(emulator, { resume: connectionKey })
  expect((await second.next("CONNECTED")).connectionId).toBe(connectionId)
  await until(() => expect(first.isClosed).toBe(true))
  second.send({ action: 0, id: "ping" })
  expect((await second.next("HEARTBEAT")).id).toBe("ping")
})
