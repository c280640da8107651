import { connect } from "node:net"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { WebSocket } from "ws"
import { startPusherEmulator } from "./server.ts"
import { channelStringToSign, hmacSha256Hex } from "./signatures.ts"
import {
  authorize,
  createSdkClient,
  createServerLibrary,
  createTestEmulator,
  join,
  openSocket,
  until,
} from "./test-clients.ts"

describe("frames", () => {
  it("§1.2c §1.3a §2k §3.2a the data of system events is encoded twice, that of errors isn't", () => {
    const socket = openSocket(createTestEmulator())
    socket.say({ event: "pusher:subscribe", data: { channel: "news" } })
    socket.say({ event: "pusher:subscribe", data: { channel: "a room" } })
    expect(socket.frames).toEqual([
      {
        event: "pusher:connection_established",
        data: expect.stringMatching(/^\{"socket_id":"\d+\.\d+","activity_/),
      },
      { event: "pusher_internal:subscription_succeeded", channel: "news", data: "{}" },
      { event: "pusher:error", data: { code: null, message: "Invalid channel name 'a room'" } },
    ])
  })

  it("§4c §4d the success of a presence channel carries count, ids and hash", () => {
    const socket = openSocket(createTestEmulator())
    join(socket, "presence-room", { user_id: "ann", user_info: { name: "Ann" } })
    const [frame] = socket.of("pusher_internal:subscription_succeeded")
    expect(JSON.parse(String(frame?.data))).toEqual({
      presence: { count: 1, ids: ["ann"], hash: { ann: { name: "Ann" } } },
    })
  })

  it("§5g §5i §5k a client event's data is passed on as it came, with the user_id beside it", () => {
    const emulator = createTestEmulator()
    const [sender, receiver] = [openSocket(emulator), openSocket(emulator)]
    join(sender, "presence-room", { user_id: "ann" })
    join(receiver, "presence-room", { user_id: "bob" })
    sender.say({ event: "client-note", channel: "presence-room", data: '{"as":"text"}' })
    expect(receiver.frames.at(-1)).toEqual({
      event: "client-note",
      channel: "presence-room",
      data: '{"as":"text"}',
      user_id: "ann",
    })
  })

  it("§3.2e a second subscription to a channel is refused without a second member", () => {
    const socket = openSocket(createTestEmulator())
    for (const _ of [1, 2]) join(socket, "presence-room", { user_id: "ann" })
    expect(socket.frames.at(-1)).toEqual({
      event: "pusher:error",
      data: { code: null, message: "Existing subscription to channel presence-room" },
    })
  })

  it("§3.4a §3.4b unsubscribing is idempotent and has no answer", () => {
    const socket = openSocket(createTestEmulator())
    const before = socket.frames.length
    for (const _ of [1, 2]) socket.say({ event: "pusher:unsubscribe", data: { channel: "news" } })
    expect(socket.frames).toHaveLength(before)
  })

  it("§7h signing in as another user on the same connection is refused with 4009", async () => {
    await using emulator = await startPusherEmulator()
    const library = createServerLibrary(emulator)
    using client = createSdkClient(emulator, { user: { id: "ann" } })
    client.pusher.signin()
    await until(() => emulator.app().users.connectionsOf("ann").length === 1)
    const other = library.authenticateUser(client.socketId, { id: "bob" })
    client.pusher.send_event("pusher:signin", other)
    await until(() => client.pusher.connection.state === "disconnected")
    expect(client.errors[0]?.message).toBe("Connection is already signed in as a different user")
  })

  it.each(["a b", "a:b", "a/b", "日本", "", "x".repeat(201)])(
    "§2f §2h §2i §2j §2k the channel name %j is refused",
    (channel) => {
      const socket = openSocket(createTestEmulator())
      socket.say({ event: "pusher:subscribe", data: { channel } })
      expect(socket.frames.at(-1)).toMatchObject({ event: "pusher:error", data: { code: null } })
    },
  )

  it.each(["A-Z_0=9@a,b.c;d", "x".repeat(200)])("§2h §2i the channel name %j is accepted", (channel) => {
    const socket = openSocket(createTestEmulator())
    socket.say({ event: "pusher:subscribe", data: { channel } })
    expect(socket.frames.at(-1)).toMatchObject({ event: "pusher_internal:subscription_succeeded", channel })
  })
})

describe("malformed input", () => {
  it.each([
    ["no JSON", "{", "Invalid JSON: expected an object"],
    ["an empty text", "", "Invalid JSON: expected an object"],
    ["an array", "[]", "Invalid JSON: expected an object"],
    ["null", "null", "Invalid JSON: expected an object"],
    ["no event", "{}", "Expected event to be a string"],
    ["an event that is a number", '{"event":1}', "Expected event to be a string"],
    ["an unknown event", '{"event":"pusher:dance"}', "Unsupported event: pusher:dance"],
    [
      "an event without its prefix",
      '{"event":"typing","channel":"private-room"}',
      "Unsupported event: typing",
    ],
    ["a subscription to nothing", '{"event":"pusher:subscribe"}', "Expected channel of pusher:subscribe"],
    [
      "a subscription to an object",
      '{"event":"pusher:subscribe","data":{"channel":{}}}',
      "Expected channel of",
    ],
    [
      "an unsubscription from nothing",
      '{"event":"pusher:unsubscribe","data":[]}',
      "Expected channel of pusher:unsub",
    ],
    [
      "a sign-in without auth",
      '{"event":"pusher:signin","data":{"user_data":"{}"}}',
      "Expected auth and user_data",
    ],
    ["a client event without a channel", '{"event":"client-typing"}', "Expected channel of client-typing"],
    ["a prototype", '{"event":"__proto__","data":{"__proto__":{}}}', "Unsupported event: __proto__"],
  ])("%s is told as pusher:error, and the connection stays", (_what, text, message) => {
    const socket = openSocket(createTestEmulator())
    socket.say(text)
    expect(socket.frames.at(-1)).toEqual({
      event: "pusher:error",
      data: { code: null, message: expect.stringContaining(message) },
    })
    socket.say({ event: "pusher:ping" })
    expect(socket.frames.at(-1)?.event).toBe("pusher:pong")
  })

  it.each([
    ["no JSON", "{"],
    ["an array", "[]"],
    ["no user_id", '{"user_info":{}}'],
    ["an empty user_id", '{"user_id":""}'],
    ["a user_id that is an object", '{"user_id":{}}'],
  ])("§4a channel data with %s is refused", (_what, channel_data) => {
    const emulator = createTestEmulator({ apps: [{ id: "1", key: "app-key", secret: "app-secret" }] })
    const socket = openSocket(emulator)
    const { auth } = signRaw(socket.socketId, "presence-room", channel_data)
    socket.say({ event: "pusher:subscribe", data: { channel: "presence-room", auth, channel_data } })
    expect(socket.frames.at(-1)).toMatchObject({
      event: "pusher:error",
      data: { message: expect.stringContaining("Invalid channel_data") },
    })
    expect(emulator.app().channels.occupied()).toEqual([])
  })

  it("a user_id that is a number is taken as text", () => {
    const socket = openSocket(createTestEmulator())
    join(socket, "presence-room", { user_id: 7 as unknown as string })
    expect(JSON.parse(String(socket.frames.at(-1)?.data)).presence.ids).toEqual(["7"])
  })

  it("a client event nested deeper than it could be written is too large", () => {
    const socket = openSocket(createTestEmulator())
    join(socket, "private-room")
    const depth = 50_000
    socket.say(
      `{"event":"client-deep","channel":"private-room","data":${"[".repeat(depth)}${"]".repeat(depth)}}`,
    )
    expect(socket.frames.at(-1)).toMatchObject({
      data: { message: expect.stringContaining("exceeds the allowed maximum") },
    })
  })

  it("no text at all is a crash, whatever an emulator has been through", () => {
    const emulator = createTestEmulator()
    const listener = openSocket(emulator)
    join(listener, "private-room")
    const word = fc.constantFrom(
      "event",
      "data",
      "channel",
      "auth",
      "channel_data",
      "user_data",
      "id",
      "__proto__",
    )
    const value = fc.constantFrom(
      "pusher:subscribe",
      "pusher:unsubscribe",
      "pusher:signin",
      "client-a",
      "private-room",
    )
    const frame = fc.dictionary(
      word,
      fc.oneof(value, fc.json(), fc.jsonValue(), fc.dictionary(word, fc.jsonValue())),
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          frame.map((fields) => JSON.stringify(fields)),
        ),
        (text) => {
          const socket = openSocket(emulator)
          join(socket, "private-room")
          socket.say(text)
          socket.hangUp()
          expect(emulator.app().connections.size).toBe(1)
        },
      ),
      { numRuns: 500, seed: 1 },
    )
    expect(
      emulator
        .app()
        .channels.occupied()
        .map(({ name }) => name),
    ).toEqual(["private-room"])
  })

  it("§1.2b a binary frame closes with 1003", () => {
    const socket = openSocket(createTestEmulator())
    socket.say(new Uint8Array([1, 2, 3]))
    expect(socket.closed).toMatchObject({ code: 1003 })
  })

  it("an oversize frame closes with 1009", () => {
    const socket = openSocket(createTestEmulator())
    socket.say("x".repeat(256 * 1024 + 1))
    expect(socket.closed).toMatchObject({ code: 1009 })
  })

  it("on the wire too: nonsense of every size, half a handshake, and the next client is served", async () => {
    await using emulator = await startPusherEmulator()
    const address = `ws://${emulator.host}:${emulator.port}/app/app-key?protocol=7`
    const codes: number[] = []
    for (const data of [Buffer.from([0]), "x".repeat(300 * 1024), "x".repeat(5 * 1024 * 1024)]) {
      const socket = new WebSocket(address)
      socket.on("open", () => socket.send(data))
      socket.on("error", () => {})
      socket.on("close", (code) => codes.push(code))
    }
    await until(() => codes.length === 3)
    expect(codes.sort()).toEqual([1003, 1009, 1009])

    const reasons: string[] = []
    for (const path of [
      `/app/${"鍵".repeat(200)}`,
      `/app/${"k".repeat(2000)}`,
      "//",
      "/app/%",
      "/app/a?protocol=%",
    ]) {
      const socket = new WebSocket(`ws://${emulator.host}:${emulator.port}${path}`)
      socket.on("error", () => {})
      socket.on("close", (code, reason) => reasons.push(`${code} ${reason}`))
    }
    await until(() => reasons.length === 5)
    expect(reasons.map((reason) => reason.slice(0, 4)).sort()).toEqual([
      "4001",
      "4001",
      "4001",
      "4001",
      "4005",
    ])

    const stream = connect(emulator.port, emulator.host)
    stream.on("error", () => {})
    stream.end("GET /app/app-key HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
    await until(() => stream.closed || stream.readableEnded || stream.destroyed || stream.resume())

    using client = createSdkClient(emulator)
    await client.connected()
  })

  it.each([
    ["GET", "/", 404],
    ["GET", "/apps/1/channels", 401],
    ["POST", "/apps/1/events?auth_key=%ZZ&=&&a", 401],
    ["POST", "/apps/%E0%A4%A/events", 404],
    ["DELETE", "/apps/1/events", 404],
    ["GET", "/__emulator/nothing", 404],
  ])("%s %s is answered %i", async (method, path, status) => {
    await using emulator = await startPusherEmulator()
    const response = await fetch(emulator.url + path, { method })
    expect(response.status).toBe(status)
  })

  it("§10.3h a body that isn't JSON is answered 400 when it is signed", async () => {
    await using emulator = await startPusherEmulator()
    const library = createServerLibrary(emulator)
    const query = library.createSignedQueryString({
      method: "POST",
      path: "/apps/1/events",
      body: "{",
      params: {},
    })
    const response = await fetch(`${emulator.url}/apps/1/events?${query}`, { method: "POST", body: "{" })
    expect([response.status, await response.text()]).toEqual([400, "Invalid JSON in the request body\n"])
  })

  it("§10.2a parameters may come in the query, channels as an array", async () => {
    await using emulator = await startPusherEmulator()
    const library = createServerLibrary(emulator)
    const params = { name: "event", data: "{}", "channels[]": "news" }
    const query = library.createSignedQueryString({ method: "POST", path: "/apps/1/events", params } as never)
    const response = await fetch(`${emulator.url}/apps/1/events?${query}`, { method: "POST" })
    expect([response.status, await response.text()]).toEqual([200, "{}"])
  })
})

/** Signs channel data that the library wouldn't write. */
function signRaw(socketId: string, channel: string, channelData: string): { auth: string } {
  const template = authorize(socketId, channel) as { auth: string }
  const [key] = template.auth.split(":")
  return {
    auth: `${key}:${hmacSha256Hex("app-secret", channelStringToSign(socketId, channel, channelData))}`,
  }
}
