import type * as Ably from "ably"
import { describe, expect, test } from "vitest"
import { createManualClock } from "./clock.ts"
import { connected, errorOf, FORMATS, openRaw, openRealtime, openRest, until } from "./harness.ts"
import { startAblyEmulator } from "./server.ts"

/** The wire's details of the connection, which the SDK keeps to itself. */
function detailsOf(client: Ably.Realtime): Record<string, unknown> {
  const { connection } = client as unknown as {
    connection: { connectionManager: { connectionDetails: Record<string, unknown> } }
  }
  return connection.connectionManager.connectionDetails
}

describe.each(FORMATS)("connection ($format)", ({ useBinaryProtocol }) => {
  test("§4.2a §3.5a §3.5e §3.1a CONNECTED carries the id, the key and the details", async () => {
    await using emulator = await startAblyEmulator()
    await using client = openRealtime(emulator, { useBinaryProtocol, clientId: "ann" })
    await connected(client)
    expect(client.connection.id).toMatch(/^\w+$/)
    expect(client.connection.key).toContain("!")
    expect(client.auth.clientId).toBe("ann")
    expect(detailsOf(client)).toMatchObject({
      connectionKey: client.connection.key,
      clientId: "ann",
      serverId: expect.any(String),
      maxInboundRate: 50,
      maxFrameSize: 524_288,
      maxMessageSize: 65_536,
      maxIdleInterval: 15_000,
      connectionStateTtl: 120_000,
    })
  })

  test("§4.3d a ping is answered", async () => {
    await using emulator = await startAblyEmulator()
    await using client = openRealtime(emulator, { useBinaryProtocol })
    await connected(client)
    expect(await client.connection.ping()).toBeGreaterThanOrEqual(0)
  })

  test("§4.4a CLOSE is answered with CLOSED and the state is discarded", async () => {
    await using emulator = await startAblyEmulator()
    const client = openRealtime(emulator, { useBinaryProtocol })
    await connected(client)
    client.close()
    await client.connection.whenState("closed")
    // The SDK counts itself as closed once it has sent CLOSE.
    await until(() => expect([...emulator.service.apps.values()][0]?.connections.size).toBe(0))
  })

  test("§4.5a §4.5e resume within the ttl keeps connectionId and delivers what was missed, in order", async () => {
    await using emulator = await startAblyEmulator()
    await using client = openRealtime(emulator, { useBinaryProtocol })
    const channel = client.channels.get("room")
    const received: unknown[] = []
    await channel.subscribe((message) => void received.push(message.data))
    const { id } = client.connection
    const states: string[] = []
    channel.on((change) => void states.push(`${change.current}:${change.resumed ?? false}`))

    const missed = client.connection.once("disconnected").then(async () => {
      const rest = openRest(emulator).channels.get("room")
      for (const data of ["1", "2", "3"]) await rest.publish("m", data)
    })
    emulator.dropConnections()
    await missed
    await until(() => expect(received).toEqual(["1", "2", "3"]))
    expect(client.connection.id).toBe(id)
    expect(client.connection.errorReason).toBeNull()
    expect(states).toEqual(["attaching:false", "attached:true"])
  })

  test("§4.5b resume after the state was lost gives a new connectionId and error 80008", async () => {
    await using emulator = await startAblyEmulator()
    await using client = openRealtime(emulator, { useBinaryProtocol })
    await connected(client)
    const { id } = client.connection
    const dropped = client.connection.once("disconnected")
    emulator.dropConnections()
    emulator.forgetConnections()
    await dropped
    const change = await client.connection.once("connected")
    expect(change.reason?.code).toBe(80008)
    expect(client.connection.id).not.toBe(id)
  })

  test("§4.5c a key without form is 80018", async () => {
    await using emulator = await startAblyEmulator()
    const recover = JSON.stringify({ connectionKey: "nonsense", msgSerial: 5, channelSerials: {} })
    await using client = openRealtime(emulator, { useBinaryProtocol, recover })
    const change = await client.connection.once("connected")
    expect(change.reason?.code).toBe(80018)
  })

  test("§4.5d §4.5e recover continues a connection in another client", async () => {
    await using emulator = await startAblyEmulator()
    await using first = openRealtime(emulator, { useBinaryProtocol })
    await first.channels.get("room").attach()
    await first.channels.get("room").publish("m", "before")
    const { id, key } = first.connection
    const recover = first.connection.createRecoveryKey() ?? ""
    const dropped = first.connection.once("disconnected")
    emulator.faults.add({ fault: "refuse-connection", code: 50003, times: 1 })
    emulator.dropConnections()
    await dropped
    await openRest(emulator).channels.get("room").publish("m", "missed")

    await using second = openRealtime(emulator, { useBinaryProtocol, recover })
    const received: unknown[] = []
    await second.channels.get("room").subscribe((message) => void received.push(message.data))
    expect(second.connection.id).toBe(id)
    expect(second.connection.key).not.toBe(key)
    await until(() => expect(received).toEqual(["missed"]))
  })

  test("§4.5a the key before the latest resumes too: its CONNECTED may never have come", async () => {
    await using emulator = await startAblyEmulator()
    await using first = await openRaw(emulator)
    const { connectionId, connectionKey = "" } = await first.next("CONNECTED")
    for (const _ of ["with the first key", "with the first key once more"]) {
      await using again = await openRaw(emulator, { resume: connectionKey })
      const connected = await again.next("CONNECTED")
      expect(connected).toMatchObject({ connectionId })
      expect(connected.error).toBeUndefined()
      expect(connected.connectionKey).not.toBe(connectionKey)
    }
  })

  test("§4.5f a message sent again after a resume is acknowledged but not delivered twice", async () => {
    await using emulator = await startAblyEmulator()
    await using client = openRealtime(emulator, { useBinaryProtocol })
    const channel = client.channels.get("room")
    const received: unknown[] = []
    await channel.subscribe((message) => void received.push(message.data))
    // The message arrives, but the socket ends before its ACK does.
    emulator.faults.add({ fault: "cut", match: { direction: "outbound", action: "ACK" }, times: 1 })
    await channel.publish("m", "once")
    await channel.publish("m", "twice")
    await until(() => expect(received).toContain("twice"))
    expect(received).toEqual(["once", "twice"])
    const history = await openRest(emulator).channels.get("room").history()
    expect(history.items).toHaveLength(2)
  })

  test("§3.5a §6.1g the clientId of a key is what the query says", async () => {
    await using emulator = await startAblyEmulator()
    await using client = openRealtime(emulator, { useBinaryProtocol, clientId: "ann" })
    const channel = client.channels.get("room")
    await channel.publish("m", "mine")
    const error = await errorOf(channel.publish({ name: "m", data: "x", clientId: "bob" }))
    expect(error.code).toBe(40012)
    const { items } = await openRest(emulator).channels.get("room").history()
    expect(items.map((message) => message.clientId)).toEqual(["ann"])
  })

  test("§6.2c echo=false keeps a connection's own messages from it, and only those", async () => {
    await using emulator = await startAblyEmulator()
    await using silent = openRealtime(emulator, { useBinaryProtocol, echoMessages: false })
    await using other = openRealtime(emulator, { useBinaryProtocol })
    const received: unknown[] = []
    await silent.channels.get("room").subscribe((message) => void received.push(message.data))
    await silent.channels.get("room").publish("m", "own")
    await other.channels.get("room").publish("m", "other's")
    await until(() => expect(received).toEqual(["other's"]))
  })

  test("§4.4c §4.4f DISCONNECTED makes the client resume; ERROR makes it fail", async () => {
    await using emulator = await startAblyEmulator()
    await using client = openRealtime(emulator, { useBinaryProtocol })
    await connected(client)
    const { id } = client.connection
    const disconnected = client.connection.once("disconnected")
    emulator.disconnect({}, 80003)
    expect((await disconnected).reason?.code).toBe(80003)
    await connected(client)
    expect(client.connection.id).toBe(id)

    const failed = client.connection.once("failed")
    emulator.fail({}, 40300)
    expect((await failed).reason?.code).toBe(40300)
  })

  test("§4.4g ERROR with a token error makes the client renew and resume", async () => {
    await using emulator = await startAblyEmulator()
    const rest = openRest(emulator, { useBinaryProtocol })
    let issued = 0
    await using client = openRealtime(emulator, {
      useBinaryProtocol,
      authCallback(_, done) {
        issued++
        rest.auth.requestToken().then(
          (details) => done(null, details),
          (error) => done(error, null),
        )
      },
    })
    await connected(client)
    const { id } = client.connection
    const disconnected = client.connection.once("disconnected")
    emulator.fail({}, 40142)
    expect((await disconnected).reason?.code).toBe(40142)
    await connected(client)
    expect(issued).toBe(2)
    expect(client.connection.id).toBe(id)
  })

  test("§4.5g after a failed resume, what was pending is published under the new connection, from 0 on", async () => {
    await using emulator = await startAblyEmulator()
    await using client = openRealtime(emulator, { useBinaryProtocol })
    const channel = client.channels.get("room")
    await channel.publish("m", "answered")
    const { id: former } = client.connection
    client.connection.once("disconnected", () => emulator.forgetConnections())
    emulator.faults.add({ fault: "cut", match: { direction: "inbound", action: "MESSAGE" }, times: 1 })
    await Promise.all([channel.publish("m", "pending"), channel.publish("m", "pending too")])
    const { id } = client.connection
    expect(id).not.toBe(former)
    const { items } = await openRest(emulator, { useBinaryProtocol }).channels.get("room").history()
    expect(items.map((message) => [message.data, message.id])).toEqual([
      ["pending too", `${id}:1:0`],
      ["pending", `${id}:0:0`],
      ["answered", `${former}:0:0`],
    ])
  })

  test("§4c parameters that nobody knows are ignored", async () => {
    await using emulator = await startAblyEmulator()
    await using client = openRealtime(emulator, {
      useBinaryProtocol,
      transportParams: { nonsense: "x", remainPresentFor: "1000" },
    })
    await connected(client)
    await client.channels.get("room").attach()
  })

  test("§3.1b §3.1c a wrong secret and an unknown app are 40101, an unknown key is 40400", async () => {
    await using emulator = await startAblyEmulator({ apps: [{ id: "app", keys: [{ id: "key" }] }] })
    for (const [key, code, statusCode] of [
      ["app.key:guess", 40101, 401],
      ["other.key:guess", 40101, 401],
      ["app.other:guess", 40400, 401],
    ] as const) {
      await using client = openRealtime(emulator, { useBinaryProtocol, key })
      expect((await client.connection.once("failed")).reason).toMatchObject({ code, statusCode })
      const rest = openRest(emulator, { useBinaryProtocol, key })
      expect(await errorOf(rest.channels.get("room").history())).toMatchObject({ code, statusCode })
    }
  })

  test("apps are separate: the same channel name is another channel", async () => {
    await using emulator = await startAblyEmulator({ apps: [{}, {}] })
    const [one, other] = emulator.apps.map((app) => app.keys[0]?.keyStr ?? "")
    await using here = openRealtime(emulator, { useBinaryProtocol, key: one })
    await using there = openRealtime(emulator, { useBinaryProtocol, key: other })
    const received: unknown[] = []
    await here.channels.get("room").subscribe((message) => void received.push(message.data))
    await there.channels.get("room").publish("m", "there")
    await here.channels.get("room").publish("m", "here")
    await until(() => expect(received).toEqual(["here"]))
  })
})

describe("connection, by raw frames", () => {
  test("§4.4b DISCONNECT from the client ends the socket and keeps the state", async () => {
    await using emulator = await startAblyEmulator()
    await using first = await openRaw(emulator)
    const { connectionId, connectionKey = "" } = await first.next("CONNECTED")
    first.send({ action: 5 })
    await until(() => expect(first.isClosed).toBe(true))
    await using second = await openRaw(emulator, { resume: connectionKey })
    const resumed = await second.next("CONNECTED")
    expect(resumed.connectionId).toBe(connectionId)
    expect(resumed.error).toBeUndefined()
  })

  test("§4.4k §4.5k a CONNECTED on the same socket has the same id and a new key too, and each key resumes", async () => {
    await using emulator = await startAblyEmulator()
    const { token } = await openRest(emulator).auth.requestToken()
    await using first = await openRaw(emulator, { key: "", access_token: token })
    const { connectionId, connectionKey = "" } = await first.next("CONNECTED")
    first.send({ action: 17, auth: { accessToken: (await openRest(emulator).auth.requestToken()).token } })
    const renewed = await first.next("CONNECTED", (frame) => frame.connectionKey !== connectionKey)
    expect(renewed.connectionId).toBe(connectionId)
    expect(renewed.connectionDetails?.connectionKey).toBe(renewed.connectionKey)
    for (const resume of [connectionKey, renewed.connectionKey ?? ""]) {
      await using again = await openRaw(emulator, { resume })
      const resumed = await again.next("CONNECTED")
      expect(resumed.connectionId).toBe(connectionId)
      expect([connectionKey, renewed.connectionKey]).not.toContain(resumed.connectionKey)
    }
  })

  test("§4.5j another client can't resume it: 80011, and its owner still can", async () => {
    await using emulator = await startAblyEmulator()
    await using ann = await openRaw(emulator, { clientId: "ann" })
    const { connectionId, connectionKey = "" } = await ann.next("CONNECTED")
    await using bob = await openRaw(emulator, { clientId: "bob", resume: connectionKey })
    const refused = await bob.next("CONNECTED")
    expect(refused.error?.code).toBe(80011)
    expect(refused.connectionId).not.toBe(connectionId)
    expect(refused.connectionDetails?.clientId).toBe("bob")
    await using again = await openRaw(emulator, { clientId: "ann", resume: connectionKey })
    expect(await again.next("CONNECTED")).toMatchObject({ connectionId })
  })
})

describe("connection, on a clock of its own", () => {
  test("§4.5b §4.5h after connectionStateTtl a connection can't be resumed", async () => {
    const clock = createManualClock()
    await using emulator = await startAblyEmulator({ clock })
    const first = await openRaw(emulator)
    const { connectionId, connectionKey = "" } = await first.next("CONNECTED")
    await first[Symbol.asyncDispose]()
    const app = [...emulator.service.apps.values()][0]
    await until(() => expect(app?.connections.get(connectionId ?? "")?.transport).toBeUndefined())

    clock.advance(119_000)
    const second = await openRaw(emulator, { resume: connectionKey })
    expect(await second.next("CONNECTED")).toMatchObject({ connectionId })
    expect((await second.next("CONNECTED")).error).toBeUndefined()
    await second[Symbol.asyncDispose]()
    await until(() => expect(app?.connections.get(connectionId ?? "")?.transport).toBeUndefined())

    clock.advance(120_000)
    await using third = await openRaw(emulator, { resume: connectionKey })
    const late = await third.next("CONNECTED")
    expect(late.error?.code).toBe(80008)
    expect(late.connectionId).not.toBe(connectionId)
  })

  test("§4.3a §4.3c a HEARTBEAT fills the silence for clients that can't see pings", async () => {
    const clock = createManualClock()
    await using emulator = await startAblyEmulator({ clock })
    await using socket = await openRaw(emulator, { heartbeats: "true" })
    await socket.next("CONNECTED")
    clock.advance(15_000)
    await socket.next("HEARTBEAT")
    expect(socket.frames[0]?.action).toBe(4)
  })

  test("§4.3b a WebSocket ping fills the silence for clients that see pings", async () => {
    const clock = createManualClock()
    await using emulator = await startAblyEmulator({ clock })
    await using socket = await openRaw(emulator, { heartbeats: "false" })
    await socket.next("CONNECTED")
    expect(socket.pings).toBe(0)
    clock.advance(15_000)
    await until(() => expect(socket.pings).toBe(1))
    expect(socket.frames.map((frame) => frame.action)).toEqual([4])
  })

  test("§9c a connection beyond the app's limit is refused with 40111, and may try again", async () => {
    await using emulator = await startAblyEmulator({ limits: { maxConnections: 1 } })
    await using first = await openRaw(emulator)
    await first.next("CONNECTED")
    await using second = await openRaw(emulator)
    expect((await second.next("DISCONNECTED")).error).toMatchObject({ code: 40111, statusCode: 429 })
  })

  test("§6.1j a connection publishes at the announced rate for ever, and what it has saved up in one burst", async () => {
    const clock = createManualClock()
    await using emulator = await startAblyEmulator({ clock })
    await using client = openRealtime(emulator)
    await connected(client)
    const rate = Number(detailsOf(client).maxInboundRate)
    expect(rate).toBe(50)
    const channel = client.channels.get("room")
    const publish = async (count: number) => {
      const burst = Array.from({ length: count }, (_, index) => channel.publish("m", String(index)))
      const results = await Promise.allSettled(burst)
      const refused = results.filter((result) => result.status === "rejected")
      for (const { reason } of refused) expect(reason).toMatchObject({ code: 42911, statusCode: 429 })
      return count - refused.length
    }
    expect(await publish(rate * 5 + 1)).toBe(rate * 5)
    for (let second = 0; second < 10; second += 1) {
      clock.advance(1000)
      expect(await publish(rate)).toBe(rate)
    }
    clock.advance(1000)
    expect(await publish(2 * rate)).toBe(rate)
    // However long it was silent, it saves up no more than that.
    clock.advance(60_000)
    expect(await publish(rate * 5 + 1)).toBe(rate * 5)
  })

  test("§4.2c limits that change are announced to those who are connected, and hold from then on", async () => {
    const clock = createManualClock()
    await using emulator = await startAblyEmulator({ clock })
    await using client = openRealtime(emulator)
    await connected(client)
    const updated = client.connection.once("update")
    await fetch(`${emulator.url}/__emulator/limits`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ maxInboundRate: 2, rateWindow: 1000, maxMessageSize: 10 }),
    })
    expect((await updated).current).toBe("connected")
    expect(detailsOf(client)).toMatchObject({ maxInboundRate: 2, maxMessageSize: 10 })
    const channel = client.channels.get("room")
    const results = await Promise.allSettled(["1", "2", "3"].map((data) => channel.publish("m", data)))
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected"])
    clock.advance(1000)
    expect(await errorOf(channel.publish("m", "x".repeat(11)))).toMatchObject({ code: 40009 })

    // In the same process, two of them at once.
    const again = client.connection.once("update")
    const [app] = emulator.service.apps.values()
    Object.assign(app?.limits ?? {}, { maxInboundRate: 50, maxMessageSize: 11 })
    expect((await again).current).toBe("connected")
    expect(detailsOf(client)).toMatchObject({ maxInboundRate: 50, maxMessageSize: 11 })
    await channel.publish("m", "x".repeat(10))
  })

  test("§6.1m presence is counted by itself, and four times as mildly", async () => {
    const clock = createManualClock()
    await using emulator = await startAblyEmulator({ clock, limits: { maxInboundRate: 2, rateWindow: 1000 } })
    await using client = openRealtime(emulator)
    const channel = client.channels.get("room")
    await Promise.all([channel.publish("m", "1"), channel.publish("m", "2")])
    expect(await errorOf(channel.publish("m", "3"))).toMatchObject({ code: 42911 })
    const enter = (index: number) => channel.presence.enterClient(`client ${index}`)
    await Promise.all(Array.from({ length: 8 }, (_, index) => enter(index)))
    expect(await errorOf(enter(8))).toMatchObject({ code: 42911, statusCode: 429 })
    clock.advance(1000)
    await Promise.all([enter(8), channel.publish("m", "3")])
  })

  test("§6.1k beyond the app's messages a second, on all channels together, it is 42910", async () => {
    const clock = createManualClock()
    await using emulator = await startAblyEmulator({ clock, limits: { maxAppRate: 2, rateWindow: 1000 } })
    await using client = openRealtime(emulator)
    await client.channels.get("one").publish("m", "1")
    await openRest(emulator).channels.get("two").publish("m", "2")
    const refused = { code: 42910, statusCode: 429 }
    expect(await errorOf(client.channels.get("three").publish("m", "3"))).toMatchObject(refused)
    expect(await errorOf(openRest(emulator).channels.get("four").publish("m", "3"))).toMatchObject(refused)
    clock.advance(1000)
    await client.channels.get("three").publish("m", "3")
  })
})
