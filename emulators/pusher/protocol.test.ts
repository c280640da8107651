import { connect } from "node:net"
import { describe, expect, it } from "vitest"
import { WebSocket } from "ws"
import fc from "../fast-check.ts"
import { startPusherEmulator } from "./server.ts"
import { channelStringToSign, hmacSha256Hex } from "./signatures.ts"
import {
  authorize,
  type BareSocket,
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
    for (const channel of ["news", "news", "a room"])
      socket.say({ event: "pusher:subscribe", data: { channel } })
    expect(socket.frames).toEqual([
      {
        event: "pusher:connection_established",
        data: expect.stringMatching(/^\{"socket_id":"\d+\.\d+","activity_/),
      },
      { event: "pusher_internal:subscription_succeeded", channel: "news", data: "{}" },
      { event: "pusher:error", data: { code: null, message: "Existing subscription to channel news" } },
      {
        event: "pusher:subscription_error",
        channel: "a room",
        data: { type: "InvalidChannel", error: "Invalid channel name 'a room'", status: 400 },
      },
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
    const emulator = createTestEmulator()
    const [socket, other] = [openSocket(emulator), openSocket(emulator)]
    join(other, "presence-room", { user_id: "bob" })
    for (const user_id of ["ann", "anna"]) join(socket, "presence-room", { user_id })
    expect(socket.frames.at(-1)).toEqual({
      event: "pusher:error",
      data: { code: null, message: "Existing subscription to channel presence-room" },
    })
    expect(emulator.app().channels.get("presence-room")?.presence?.ids()).toEqual(["bob", "ann"])
    expect(other.of("pusher_internal:member_added")).toHaveLength(1)
  })

  it("§2b a presence channel needs channel data or a signed-in user, whatever the signature", () => {
    const emulator = createTestEmulator()
    const socket = openSocket(emulator)
    join(socket, "presence-room")
    expect(socket.frames.at(-1)).toMatchObject({
      event: "pusher:subscription_error",
      channel: "presence-room",
      data: { type: "AuthError", status: 401, error: expect.stringContaining("Invalid channel_data for") },
    })
    signIn(socket, '{"id":"ann"}')
    join(socket, "presence-room")
    expect(emulator.app().channels.get("presence-room")?.presence?.ids()).toEqual(["ann"])
  })

  it.each(["private-room", "presence-room"])(
    "§3.6b §3.6c §3.6d the channel data of %s is verified in its own spelling",
    (channel) => {
      const emulator = createTestEmulator()
      const socket = openSocket(emulator)
      const channel_data = '{ "user_id" : "\\u0061nn" }'
      const { auth } = signRaw(socket.socketId, channel, channel_data)
      const respelt = JSON.stringify(JSON.parse(channel_data))
      socket.say({ event: "pusher:subscribe", data: { channel, auth, channel_data: respelt } })
      expect(socket.frames.at(-1)).toMatchObject({
        event: "pusher:subscription_error",
        data: { type: "AuthError", status: 401, error: expect.stringContaining("Invalid signature") },
      })
      socket.say({ event: "pusher:subscribe", data: { channel, auth, channel_data } })
      expect(socket.frames.at(-1)).toMatchObject({ event: "pusher_internal:subscription_succeeded", channel })
    },
  )

  it.each([
    "private-a",
    "private-cache-a",
    "presence-a",
    "presence-cache-a",
    "private-encrypted-a",
    "private-encrypted-cache-a",
  ])("§2a §2b §2c %s is refused without an authorization", (channel) => {
    const emulator = createTestEmulator()
    const socket = openSocket(emulator)
    for (const auth of [undefined, "", "app-key:00"])
      socket.say({ event: "pusher:subscribe", data: { channel, auth, channel_data: '{"user_id":"ann"}' } })
    const refusal = { channel, data: { type: "AuthError", status: 401 } }
    expect(socket.of("pusher:subscription_error")).toMatchObject([refusal, refusal, refusal])
    expect(socket.closed).toBeUndefined()
    expect(emulator.app().channels.occupied()).toEqual([])
  })

  it("§3.5a all subscribers are told the count at each change, the newest included", () => {
    const emulator = createTestEmulator({
      apps: [{ id: "1", key: "app-key", secret: "app-secret", subscriptionCount: true }],
    })
    const sockets = [1, 2, 3].map(() => openSocket(emulator))
    for (const socket of sockets) join(socket, "private-room")
    sockets[2]?.hangUp()
    sockets[1]?.say({ event: "pusher:unsubscribe", data: { channel: "private-room" } })
    const counts = sockets.map((socket) =>
      socket
        .of("pusher_internal:subscription_count")
        .map(({ data }) => JSON.parse(String(data)).subscription_count),
    )
    expect(counts).toEqual([[1, 2, 3, 2, 1], [2, 3, 2], [3]])
  })

  it("§3.5d the subscription count isn't told unless the app has it enabled", () => {
    const emulator = createTestEmulator()
    const sockets = [openSocket(emulator), openSocket(emulator)]
    for (const socket of sockets) join(socket, "private-room")
    sockets[1]?.hangUp()
    for (const socket of sockets) expect(socket.of("pusher_internal:subscription_count")).toEqual([])
  })

  it("§4l §4o the hundred and first member is refused", () => {
    const emulator = createTestEmulator()
    const sockets = Array.from({ length: 101 }, () => openSocket(emulator))
    for (const [index, socket] of sockets.entries())
      join(socket, "presence-room", { user_id: `user-${index}` })
    const refused = sockets.filter((socket) => socket.of("pusher:subscription_error").length > 0)
    expect(refused).toEqual([sockets.at(-1)])
    expect(emulator.app().channels.get("presence-room")?.presence?.count).toBe(100)
  })

  it("§4m §4n 128 characters of user_id and 1 KB of user_info are accepted", () => {
    const emulator = createTestEmulator()
    const socket = openSocket(emulator)
    // Two of the 1024 are quotation marks.
    join(socket, "presence-room", { user_id: "x".repeat(128), user_info: "x".repeat(1022) as never })
    expect(socket.frames.at(-1)?.event).toBe("pusher_internal:subscription_succeeded")
    join(socket, "presence-other", { user_id: "x", user_info: "x".repeat(1023) as never })
    expect(socket.frames.at(-1)?.event).toBe("pusher:subscription_error")
  })

  it.each(["unsubscribes", "hangs up", "is closed"])(
    "§4h §4k a user whose last connection %s is removed, not before",
    (how) => {
      const emulator = createTestEmulator()
      const [watcher, ...tabs] = [1, 2, 3].map(() => openSocket(emulator))
      if (!watcher) throw new Error("no watcher")
      join(watcher, "presence-room", { user_id: "ann" })
      for (const tab of tabs) join(tab, "presence-room", { user_id: "bob" })
      const removed = tabs.map((tab) => {
        if (how === "unsubscribes")
          tab.say({ event: "pusher:unsubscribe", data: { channel: "presence-room" } })
        else if (how === "hangs up") tab.hangUp()
        else emulator.faults.inject({ kind: "close", code: 4200, socketId: tab.socketId })
        return watcher.of("pusher_internal:member_removed")
      })
      const frame = {
        event: "pusher_internal:member_removed",
        channel: "presence-room",
        data: '{"user_id":"bob"}',
      }
      expect(removed).toEqual([[], [frame]])
    },
  )

  it("§4c §4f who has left is on nobody's list, and is added when they come back", () => {
    const emulator = createTestEmulator()
    const [watcher, first, second] = [1, 2, 3].map(() => openSocket(emulator))
    if (!watcher || !first || !second) throw new Error("no sockets")
    join(watcher, "presence-room", { user_id: "ann" })
    join(first, "presence-room", { user_id: "bob" })
    first.hangUp()
    join(second, "presence-room", { user_id: "cleo" })
    const [success] = second.of("pusher_internal:subscription_succeeded")
    expect(JSON.parse(String(success?.data)).presence.ids).toEqual(["ann", "cleo"])
    join(openSocket(emulator), "presence-room", { user_id: "bob" })
    expect(watcher.of("pusher_internal:member_added").map(({ data }) => data)).toEqual([
      '{"user_id":"bob"}',
      '{"user_id":"cleo"}',
      '{"user_id":"bob"}',
    ])
  })

  it("§4f member_added carries user_id and user_info", () => {
    const emulator = createTestEmulator()
    const [watcher, newcomer] = [openSocket(emulator), openSocket(emulator)]
    join(watcher, "presence-room", { user_id: "ann" })
    join(newcomer, "presence-room", { user_id: "bob", user_info: { name: "Bob" } })
    expect(watcher.frames.at(-1)).toEqual({
      event: "pusher_internal:member_added",
      channel: "presence-room",
      data: '{"user_id":"bob","user_info":{"name":"Bob"}}',
    })
  })

  it("§5n §5o a client event may have a name of 200 characters and 10 KB, and no more", () => {
    const emulator = createTestEmulator()
    const [sender, receiver] = [openSocket(emulator), openSocket(emulator)]
    for (const socket of [sender, receiver]) join(socket, "private-room")
    const name = (length: number) => "client-".padEnd(length, "x")
    const say = (event: string, data: unknown) => sender.say({ event, channel: "private-room", data })
    say(name(200), "x".repeat(10_240))
    expect(receiver.frames.at(-1)?.event).toBe(name(200))
    say(name(201), "")
    say(name(200), "x".repeat(10_241))
    expect(sender.of("pusher:error")).toMatchObject([
      { data: { code: null, message: expect.stringContaining("event name exceeds") } },
      { data: { code: null, message: expect.stringContaining("exceeds the allowed maximum (10240 bytes)") } },
    ])
    expect(receiver.frames.filter(({ event }) => event.startsWith("client-"))).toHaveLength(1)
  })

  it("§7b §7c §7g §8s a sign-in is verified in its own spelling, and confirmed with it", () => {
    const socket = openSocket(createTestEmulator())
    const user_data = '{ "id" : "ann" }'
    signIn(socket, user_data)
    expect(socket.frames.at(-1)).toEqual({
      event: "pusher:signin_success",
      data: JSON.stringify({ user_data }),
    })
    const other = openSocket(createTestEmulator())
    const auth = `app-key:${hmacSha256Hex("app-secret", `${other.socketId}:${user_data}`)}`
    other.say({ event: "pusher:signin", data: { auth, user_data } })
    expect(other.frames.at(-1)).toMatchObject({ event: "pusher:error", data: { code: 4009 } })
    expect(other.closed).toEqual({ code: 4009, reason: "Connection is unauthorized" })
  })

  it.each(["{}", '{"id":""}', '{"id":7}', '{"id":null}', "[]", "ann"])(
    "§7d §7g a sign-in as %s is refused with 4009, though it is signed",
    (user_data) => {
      const socket = openSocket(createTestEmulator())
      signIn(socket, user_data)
      expect(socket.frames.at(-1)).toMatchObject({ event: "pusher:error", data: { code: 4009 } })
      expect(socket.closed).toMatchObject({ code: 4009 })
    },
  )

  it("§9e a client event isn't cached", () => {
    const emulator = createTestEmulator()
    const [sender, newcomer] = [openSocket(emulator), openSocket(emulator)]
    join(sender, "private-cache-room")
    sender.say({ event: "client-typing", channel: "private-cache-room", data: {} })
    expect(sender.of("pusher:error")).toEqual([])
    join(newcomer, "private-cache-room")
    expect(newcomer.frames.at(-1)).toEqual({ event: "pusher:cache_miss", channel: "private-cache-room" })
  })

  it("§9a §9b the cached event comes right after success, or the miss, without data", () => {
    const emulator = createTestEmulator()
    const subscribe = () => {
      const socket = openSocket(emulator)
      socket.say({ event: "pusher:subscribe", data: { channel: "cache-price" } })
      return socket.frames.slice(1)
    }
    const success = { event: "pusher_internal:subscription_succeeded", channel: "cache-price", data: "{}" }
    expect(subscribe()).toEqual([success, { event: "pusher:cache_miss", channel: "cache-price" }])
    emulator.app().cache.set("cache-price", "price", '{"usd":1}')
    expect(subscribe()).toEqual([success, { event: "price", channel: "cache-price", data: '{"usd":1}' }])
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

  it.each([
    ...["a b", "a:b", "a/b", "日本", "", "x".repeat(201), "#room"].map((channel) => ({
      channel,
      data: { type: "InvalidChannel", status: 400 },
    })),
    { channel: "#server-to-user-", data: { type: "AuthError", status: 401 } },
  ])("§2f §2h §2i §2j §2k the channel name $channel is refused", ({ channel, data }) => {
    const socket = openSocket(createTestEmulator())
    socket.say({ event: "pusher:subscribe", data: { channel } })
    expect(socket.frames.at(-1)).toMatchObject({ event: "pusher:subscription_error", channel, data })
  })

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
      event: "pusher:subscription_error",
      data: { type: "AuthError", status: 401, error: expect.stringContaining("Invalid channel_data") },
    })
    expect(emulator.app().channels.occupied()).toEqual([])
  })

  it("a user_id that is a number is taken as text", () => {
    const socket = openSocket(createTestEmulator())
    join(socket, "presence-room", { user_id: 7 as unknown as string })
    expect(JSON.parse(String(socket.frames.at(-1)?.data)).presence.ids).toEqual(["7"])
  })

  it("a client event that is nested too deeply is no JSON to it", () => {
    const socket = openSocket(createTestEmulator())
    join(socket, "private-room")
    const depth = 65
    socket.say(
      `{"event":"client-deep","channel":"private-room","data":${"[".repeat(depth)}${"]".repeat(depth)}}`,
    )
    expect(socket.frames.at(-1)).toMatchObject({
      data: { message: expect.stringContaining("Invalid JSON") },
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

/** Signs in with user data that the library wouldn't write. */
function signIn(socket: BareSocket, user_data: string): void {
  const signature = hmacSha256Hex("app-secret", `${socket.socketId}::user::${user_data}`)
  socket.say({ event: "pusher:signin", data: { auth: `app-key:${signature}`, user_data } })
}
