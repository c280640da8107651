import type * as Ably from "ably"
import { describe, expect, test } from "vitest"
import { connected, openRealtime, openRest, until } from "./harness.ts"
import { type AblyEmulator, startAblyEmulator } from "./server.ts"

/** The SDK's Node build has comet too, "to simulate an XHR transport for test purposes"; it streams. */
const openComet = (emulator: AblyEmulator, options: Ably.ClientOptions = {}) =>
  openRealtime(emulator, { transports: ["comet"] as unknown as Ably.Transport[], ...options })

describe("comet", () => {
  test("§1b connects, publishes, receives and enters", async () => {
    await using emulator = await startAblyEmulator()
    await using client = openComet(emulator, { clientId: "ann" })
    const channel = client.channels.get("room")
    const received: unknown[] = []
    await channel.subscribe(({ data }) => void received.push(data))
    await channel.publish([
      { name: "m", data: "1" },
      { name: "m", data: { two: 2 } },
      { name: "m", data: Buffer.from("three") },
    ])
    await openRest(emulator).channels.get("room").publish("m", "by REST")
    await until(() => expect(received).toEqual(["1", { two: 2 }, Buffer.from("three"), "by REST"]))
    await channel.presence.enter("here")
    expect(await channel.presence.get()).toMatchObject([{ clientId: "ann", data: "here" }])
    expect(await client.connection.ping()).toBeGreaterThanOrEqual(0)
  })

  test("a refusal is told in a frame", async () => {
    await using emulator = await startAblyEmulator()
    await using client = openComet(emulator, { key: `${emulator.key}wrong` })
    expect((await client.connection.once("failed")).reason).toMatchObject({ code: 40101, statusCode: 401 })
  })

  test("a cut stream resumes, and what was missed comes", async () => {
    await using emulator = await startAblyEmulator()
    await using client = openComet(emulator)
    const received: unknown[] = []
    await client.channels.get("room").subscribe(({ data }) => void received.push(data))
    const { id } = client.connection
    const dropped = client.connection.once("disconnected")
    emulator.faults.add({ fault: "refuse-connection", code: 50003, times: 1 })
    emulator.dropConnections()
    await dropped
    await openRest(emulator).channels.get("room").publish("m", "missed")
    await until(() => expect(received).toEqual(["missed"]))
    expect(client.connection.id).toBe(id)
  })

  test("a closed connection is gone at once, a client that vanishes leaves one to be resumed", async () => {
    await using emulator = await startAblyEmulator()
    const [app] = emulator.service.apps.values()
    await using client = openComet(emulator)
    await connected(client)
    client.close()
    await client.connection.whenState("closed")
    await until(() => expect(app?.connections.size).toBe(0))

    const abort = new AbortController()
    await fetch(`${emulator.url}/comet/connect?key=${emulator.key}&v=6`, { signal: abort.signal })
    abort.abort()
    await until(() =>
      expect([...(app?.connections.values() ?? [])]).toMatchObject([{ transport: undefined }]),
    )
  })

  test("a client may renew its token", async () => {
    await using emulator = await startAblyEmulator()
    const rest = openRest(emulator)
    await using client = openComet(emulator, {
      authCallback: (params, done) =>
        void rest.auth.requestToken({ ...params, clientId: "ann" }).then((token) => done(null, token)),
    })
    await connected(client)
    const states: string[] = []
    client.connection.on((change) => void states.push(change.current))
    await client.auth.authorize()
    await client.channels.get("room").publish("m", "with the new token")
    // Its requests go by the key of the new CONNECTED from now on.
    expect(new Set(states)).toEqual(new Set(["connected"]))
    emulator.expireTokens()
    await client.connection.once("disconnected")
    await connected(client)
  })
})

describe("xhr_polling, by requests as a browser makes them", () => {
  async function poll(emulator: AblyEmulator, path: string, init?: RequestInit) {
    const response = await fetch(`${emulator.url}/comet/${path}`, init)
    return response.status === 204 ? [] : await response.json()
  }

  test("each answer is an array of frames, and the next poll waits for more", async () => {
    await using emulator = await startAblyEmulator()
    const [first] = await poll(emulator, `connect?key=${emulator.key}&v=6&stream=false`)
    expect(first).toMatchObject({ action: 4 })
    const send = (...frames: object[]) =>
      poll(emulator, `${first.connectionKey}/send`, { method: "POST", body: JSON.stringify(frames) })
    await send({ action: 10, channel: "room" }, { action: 10, channel: "other" })
    expect(await poll(emulator, `${first.connectionKey}/recv`)).toMatchObject([
      { action: 11, channel: "room" },
      { action: 11, channel: "other" },
    ])
    const next = poll(emulator, `${first.connectionKey}/recv`)
    await openRest(emulator).channels.get("room").publish("m", "x")
    expect(await next).toMatchObject([{ action: 15, messages: [{ data: "x" }] }])
    await poll(emulator, `${first.connectionKey}/close`)
    expect(await poll(emulator, `${first.connectionKey}/recv`)).toMatchObject([{ action: 8 }])
    expect(await poll(emulator, `${first.connectionKey}/recv`)).toMatchObject({ error: { code: 80003 } })
  })

  test("a second poll takes the place of the first", async () => {
    await using emulator = await startAblyEmulator()
    const [{ connectionKey }] = await poll(emulator, `connect?key=${emulator.key}&v=6&stream=false`)
    const first = poll(emulator, `${connectionKey}/recv`)
    await until(async () => {
      const second = poll(emulator, `${connectionKey}/recv`)
      expect(await first).toEqual([])
      void second.catch(() => {})
    })
  })

  test.each([
    ["GET", "nowhere", undefined],
    ["GET", "nobody!0/recv", undefined],
    ["POST", "nobody!0/send", "[]"],
    ["POST", "connect", "[]"],
    ["GET", "%E0%A4%A/recv", undefined],
  ])("%s /comet/%s is refused", async (method, path, body) => {
    await using emulator = await startAblyEmulator()
    const { error } = await poll(emulator, path, { method, ...(body ? { body } : {}) })
    expect(error.code).toBeGreaterThanOrEqual(40000)
  })

  test("what isn't an array of frames is refused, and a frame that says nothing ends the connection", async () => {
    await using emulator = await startAblyEmulator()
    const [{ connectionKey }] = await poll(emulator, `connect?key=${emulator.key}&v=6&stream=false`)
    const send = (body: string) => poll(emulator, `${connectionKey}/send`, { method: "POST", body })
    expect((await send("{}")).error.code).toBe(40001)
    expect((await send("nonsense")).error.code).toBe(40001)
    await send('[{"no":"action"}]')
    expect(await poll(emulator, `${connectionKey}/recv`)).toMatchObject([
      { action: 9, error: { code: 80013 } },
    ])
  })
})
