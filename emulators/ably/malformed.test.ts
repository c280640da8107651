import { encode } from "@msgpack/msgpack"
import { describe, expect, test } from "vitest"
import { errorOf, openRaw, openRest, signJwt, until } from "./harness.ts"
import { type AblyEmulator, startAblyEmulator } from "./server.ts"

/** That the emulator still works for others. */
async function expectAlive(emulator: AblyEmulator) {
  await openRest(emulator).channels.get("alive").publish("m", "x")
}

describe("frames that no SDK sends", () => {
  test.each([
    ["bad JSON", "{"],
    ["JSON that is no object", "[1, 2]"],
    ["JSON null", "null"],
    ["an action that is no number", '{"action":"MESSAGE"}'],
    ["bad msgpack", new Uint8Array([0xc1, 0xff, 0x00])],
    ["truncated msgpack", encode({ action: 15, channel: "room" }).slice(0, -3)],
    ["an empty binary frame", new Uint8Array()],
    ["a MESSAGE without msgSerial", '{"action":15,"channel":"room","messages":[{}]}'],
  ])("§4.1b %s ends the connection with ERROR 80013", async (_, frame) => {
    await using emulator = await startAblyEmulator()
    await using socket = await openRaw(emulator)
    await socket.next("CONNECTED")
    socket.send(frame)
    expect((await socket.next("ERROR")).error).toMatchObject({ code: 80013, statusCode: 400 })
    await until(() => expect(socket.isClosed).toBe(true))
    await expectAlive(emulator)
  })

  test("a frame over maxFrameSize ends the connection with ERROR 40009", async () => {
    await using emulator = await startAblyEmulator()
    await using socket = await openRaw(emulator)
    await socket.next("CONNECTED")
    socket.send(JSON.stringify({ action: 0, id: "x".repeat(600_000) }))
    expect((await socket.next("ERROR")).error?.code).toBe(40009)
    await expectAlive(emulator)
  })

  test("a frame beyond what the socket reads at all cuts it, and only it", async () => {
    await using emulator = await startAblyEmulator()
    await using socket = await openRaw(emulator)
    await socket.next("CONNECTED")
    socket.send("x".repeat(17 * 1024 * 1024))
    await until(() => expect(socket.isClosed).toBe(true))
    await expectAlive(emulator)
  })

  test("params that are no text fail their channel, and nothing else", async () => {
    await using emulator = await startAblyEmulator()
    await using socket = await openRaw(emulator)
    await socket.next("CONNECTED")
    socket.send({ action: 10, channel: "room", params: { a: { toString: 1 } } })
    expect(await socket.next("ERROR")).toMatchObject({ channel: "room", error: { code: 40000 } })
    socket.send({ action: 0, id: "still here" })
    expect((await socket.next("HEARTBEAT")).id).toBe("still here")
  })

  test.each(["id", "encoding"])("%s may be as long as a message, and no longer", async (field) => {
    await using emulator = await startAblyEmulator({ limits: { maxMessageSize: 1_000 } })
    await using socket = await openRaw(emulator, { clientId: "ann" })
    await socket.next("CONNECTED")
    socket.send({ action: 10, channel: "room" })
    await socket.next("ATTACHED")
    const long = { data: "x", [field]: "x".repeat(1_025) }
    socket.send({ action: 15, channel: "room", msgSerial: 0, messages: [long] })
    expect((await socket.next("NACK")).error?.code).toBe(40009)
    socket.send({ action: 14, channel: "room", msgSerial: 1, presence: [{ action: 2, ...long }] })
    expect((await socket.next("NACK")).error?.code).toBe(40009)
    const many = Array.from({ length: 3 }, (_, n) => ({ data: "x", [field]: `${"x".repeat(400)}:${n}` }))
    socket.send({ action: 15, channel: "room", msgSerial: 2, messages: many })
    expect((await socket.next("NACK")).error?.code).toBe(40009)
    await expectAlive(emulator)
  })

  test("a channel keeps so many bytes, the newest", async () => {
    await using emulator = await startAblyEmulator({ limits: { maxHistorySize: 3_500 } })
    const channel = openRest(emulator).channels.get("room")
    for (let n = 0; n < 10; n += 1) await channel.publish(String(n), "x".repeat(1_000))
    const { items } = await channel.history()
    expect(items.map(({ name }) => name)).toEqual(["9", "8", "7"])
  })

  test("§4.1a §4.3d unknown actions and fields are ignored", async () => {
    await using emulator = await startAblyEmulator()
    await using socket = await openRaw(emulator)
    await socket.next("CONNECTED")
    socket.send({ action: 99 })
    socket.send({ action: 18, nonsense: { deep: [1] } })
    socket.send({ action: 0, id: "still here", unknown: true })
    expect((await socket.next("HEARTBEAT")).id).toBe("still here")
    expect(socket.isClosed).toBe(false)
  })

  test.each([
    ["messages that are no list of objects", { messages: [1] }, 40000],
    ["a name that is no text", { messages: [{ name: 7 }] }, 40016],
    ["data that is a number", { messages: [{ data: 7 }] }, 40013],
    ["extras that are no object", { messages: [{ extras: "x" }] }, 40032],
    ["an id that is no text", { messages: [{ id: 7 }] }, 40031],
    ["no messages", { messages: [] }, 40000],
    ["another's connectionId", { messages: [{ connectionId: "other" }] }, 40006],
    ["an unknown connectionKey", { messages: [{ connectionKey: "other" }] }, 40006],
    ["a bad channel name", { channel: ":bad", messages: [{}] }, 40010],
    ["a derived channel", { channel: "[filter=eA==]room", messages: [{}] }, 40010],
    ["an update without a serial", { channel: "mutable:room", messages: [{ action: 1 }] }, 40003],
    ["an action that clients don't send", { channel: "mutable:room", messages: [{ action: 4 }] }, 40003],
  ])("§6.1b §6.1d §6.1i §6.1l %s is a NACK, and the next message is accepted", async (_, frame, code) => {
    await using emulator = await startAblyEmulator()
    await using socket = await openRaw(emulator)
    await socket.next("CONNECTED")
    socket.send({ action: 15, channel: "room", msgSerial: 0, ...frame })
    expect(await socket.next("NACK")).toMatchObject({ msgSerial: 0, count: 1, error: { code } })
    socket.send({ action: 15, channel: "room", msgSerial: 1, messages: [{ data: "fine" }] })
    expect(await socket.next("ACK")).toMatchObject({
      msgSerial: 1,
      count: 1,
      res: [{ serials: [expect.any(String)] }],
    })
  })

  test("LiveObjects, which are left out, are a NACK", async () => {
    await using emulator = await startAblyEmulator()
    await using socket = await openRaw(emulator)
    socket.send({ action: 19, channel: "room", msgSerial: 0, state: [{}] })
    expect((await socket.next("NACK")).error?.code).toBe(40000)
  })

  test("_forceNack is the vendor's own way to a NACK", async () => {
    await using emulator = await startAblyEmulator()
    await using socket = await openRaw(emulator)
    socket.send({ action: 15, channel: "room", msgSerial: 0, messages: [{}], params: { _forceNack: "true" } })
    expect((await socket.next("NACK")).error?.code).toBe(40099)
  })

  test("a bad filter fails the channel, not the connection", async () => {
    await using emulator = await startAblyEmulator()
    await using socket = await openRaw(emulator)
    const filter = Buffer.from("name ==").toString("base64")
    socket.send({ action: 10, channel: `[filter=${filter}]room` })
    expect((await socket.next("ERROR")).error?.code).toBe(40010)
    socket.send({ action: 10, channel: "room" })
    await socket.next("ATTACHED")
  })

  test("§4b frames in both formats are understood on one socket; answers come in the one asked for", async () => {
    await using emulator = await startAblyEmulator()
    await using socket = await openRaw(emulator, { format: "msgpack" })
    socket.send(encode({ action: 10, channel: "binary" }))
    socket.send({ action: 10, channel: "text" })
    await socket.next("ATTACHED", (frame) => frame.channel === "binary")
    await socket.next("ATTACHED", (frame) => frame.channel === "text")
  })
})

describe("sockets that don't get to CONNECTED", () => {
  test("§4a §9b a protocol version before 2 is 40017", async () => {
    await using emulator = await startAblyEmulator()
    await using socket = await openRaw(emulator, { v: "1" })
    expect((await socket.next("ERROR")).error).toMatchObject({ code: 40017, statusCode: 400 })
    expect(socket.frames).toHaveLength(1)
    await until(() => expect(socket.isClosed).toBe(true))
  })
})

/** The same whatever shows them; no SDK sends all of these. */
describe("credentials that open nothing", () => {
  const known = "app.key"
  test.each<[string, { key: string } | { token: string } | undefined, number, number]>([
    ["nothing", undefined, 40101, 401],
    ["a key without a secret", { key: "app.key" }, 40005, 400],
    ["a key that names no app", { key: "js9de7r:secret" }, 40101, 401],
    ["a key of an unknown app", { key: "other.key:secret" }, 40101, 401],
    ["an unknown key of a known app", { key: "app.other:secret" }, 40400, 401],
    ["a key with a wrong secret", { key: "app.key:guess" }, 40101, 401],
    ["a token that names no app", { token: "nonsense" }, 40101, 401],
    ["a token of an unknown app", { token: "other.token" }, 40400, 404],
    ["an unknown token of a known app", { token: "app.token" }, 40143, 401],
    ["a JWT that is none", { token: "a.b.c" }, 40144, 401],
    ["a JWT of an unknown app", { token: signJwt({}, { kid: "other.key" }) }, 40400, 404],
    ["a JWT of an unknown key of a known app", { token: signJwt({}, { kid: "app.other" }) }, 40400, 401],
    ["a JWT with a wrong signature", { token: signJwt({}, { kid: known, secret: "guess" }) }, 40144, 401],
    ["an expired JWT", { token: signJwt({ iat: 900, exp: 1000 }, { kid: known }) }, 40142, 401],
  ])(
    "§3.1b §3.1c §3.3b §3.3c §4a §9a %s: the same by REST and on a socket",
    async (_, shown, code, statusCode) => {
      await using emulator = await startAblyEmulator({
        apps: [{ id: "app", keys: [{ id: "key", secret: "secret" }] }],
      })
      const refusal = { code, statusCode }
      const { key = "", token = "" } = { ...shown } as { key?: string; token?: string }
      await using socket = await openRaw(emulator, token ? { key: "", access_token: token } : { key })
      expect((await socket.next("ERROR")).error).toMatchObject(refusal)
      expect(socket.frames).toHaveLength(1)
      await until(() => expect(socket.isClosed).toBe(true))

      const base64 = (text: string) => Buffer.from(text).toString("base64")
      const authorization = token ? `Bearer ${base64(token)}` : key ? `Basic ${base64(key)}` : ""
      const response = await fetch(`${emulator.url}/channels/room/messages`, { headers: { authorization } })
      expect(response.status).toBe(statusCode)
      expect(await response.json()).toMatchObject({ error: refusal })
    },
  )

  test("§3.1b §3.1c a token is asked for in the name of a key: an unknown app is 404, an unknown key 401", async () => {
    await using emulator = await startAblyEmulator({ apps: [{ id: "app", keys: [{ id: "key" }] }] })
    const ask = (keyName: string) =>
      errorOf(openRest(emulator, { key: `${keyName}:guess` }).auth.requestToken())
    expect(await ask("other.key")).toMatchObject({ code: 40400, statusCode: 404 })
    expect(await ask("app.other")).toMatchObject({ code: 40400, statusCode: 401 })
    expect(await ask("app.key")).toMatchObject({ code: 40101, statusCode: 401 })
  })
})

describe("requests that no SDK sends", () => {
  const authorization = (key: string) => `Basic ${Buffer.from(key).toString("base64")}`

  test.each([
    ["bad JSON", "application/json", "{", 40001],
    ["bad msgpack", "application/x-msgpack", "\xc1", 40001],
    ["a list of numbers", "application/json", "[1]", 40000],
    ["no message", "application/json", "[]", 40000],
  ])("§2d §2e %s is refused in the vendor's form", async (_, contentType, body, code) => {
    await using emulator = await startAblyEmulator()
    const response = await fetch(`${emulator.url}/channels/room/messages`, {
      method: "POST",
      headers: { "content-type": contentType, authorization: authorization(emulator.key) },
      body: Buffer.from(body, "latin1"),
    })
    expect(response.status).toBe(400)
    // The SDK reads an error's body only if the type is exactly this.
    expect(response.headers.get("content-type")).toBe("application/json")
    expect(response.headers.get("x-ably-errorcode")).toBe(String(code))
    expect(response.headers.get("x-ably-errormessage")).toMatch(/\w/)
    expect(await response.json()).toEqual({
      error: {
        code,
        statusCode: 400,
        message: expect.any(String),
        href: `https://help.ably.io/error/${code}`,
      },
    })
  })

  test("a body over the limit is 40009, a path that can't be decoded 40000", async () => {
    await using emulator = await startAblyEmulator({ limits: { maxRequestSize: 100 } })
    const headers = { authorization: authorization(emulator.key) }
    const large = await fetch(`${emulator.url}/channels/room/messages`, {
      method: "POST",
      headers,
      body: JSON.stringify({ data: "x".repeat(200) }),
    })
    expect(large.status).toBe(413)
    const broken = await fetch(`${emulator.url}/channels/%E0%A4%A/messages`, { headers })
    expect(await broken.json()).toMatchObject({ error: { code: 40000 } })
  })

  test("browsers of other origins may ask", async () => {
    await using emulator = await startAblyEmulator()
    const preflight = await fetch(`${emulator.url}/channels/room/messages`, {
      method: "OPTIONS",
      headers: {
        origin: "https://app.example",
        "access-control-request-headers": "authorization, x-ably-version",
      },
    })
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get("access-control-allow-headers")).toContain("authorization")
    // With credentials, as the SDK asks, a browser takes no `*`.
    expect(preflight.headers.get("access-control-allow-origin")).toBe("https://app.example")
    expect(preflight.headers.get("access-control-allow-credentials")).toBe("true")
  })
})
