import { createHmac } from "node:crypto"
import { once } from "node:events"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { encode } from "@msgpack/msgpack"
import { describe, expect, it } from "vitest"
import { WebSocket } from "ws"
import { createManualClock } from "./ably/clock.ts"
import { startAblyEmulator } from "./ably/index.ts"
import { createAblyService } from "./ably/service.ts"
import { signTokenRequest } from "./ably/tokens.ts"
import { createInspector } from "./page/inspector.ts"
import { createEventCache } from "./pusher/cache.ts"
import { createManualClock as createPusherClock } from "./pusher/clock.ts"
import { createPusherEmulator } from "./pusher/emulator.ts"
import { startPusherEmulator } from "./pusher/index.ts"
import { createServerLibrary } from "./pusher/test-clients.ts"

const nested = (depth: number) => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`

/** A service of Ably's without a network, and a way to speak to it. */
function createAbly(options: Parameters<typeof createAblyService>[0] = {}) {
  const clock = createManualClock()
  const service = createAblyService({ ...options, clock })
  const [app] = service.apps.values()
  if (!app) throw new Error("there is no app")
  const key = `${app.keys[0]?.name}:${app.keys[0]?.secret}`
  return {
    ...{ clock, service, app, key },
    connect(query: Record<string, string> = {}, send: (frame: string | Uint8Array) => void = () => {}) {
      const told: { action: number; error?: { code: number }; [field: string]: unknown }[] = []
      let isCut = false
      const session = service.accept(
        {
          send(frame) {
            send(frame)
            told.push(JSON.parse(String(frame)))
          },
          ping() {},
          close() {},
          terminate() {
            isCut = true
          },
        },
        new URLSearchParams({ key, v: "6", ...query }),
      )
      const say = (frame: object | string | Uint8Array) =>
        session.receive(
          typeof frame === "string" || frame instanceof Uint8Array ? frame : JSON.stringify(frame),
        )
      return {
        ...{ session, told, say },
        get isCut() {
          return isCut
        },
      }
    },
    async request(method: string, path: string, body: string | Uint8Array = "", format = "json") {
      const headers = {
        authorization: `Basic ${Buffer.from(key).toString("base64")}`,
        "content-type": `application/${format}`,
        accept: `application/${format}`,
      }
      const bytes = typeof body === "string" ? Buffer.from(body) : body
      const answer = await service.request({
        method,
        path,
        query: new URLSearchParams(),
        headers,
        body: bytes,
      })
      return answer?.status
    },
  }
}

/** A service of Pusher's without a network, and people who may be in private channels. */
function createPusher(options: Parameters<typeof createPusherEmulator>[0] = {}) {
  const emulator = createPusherEmulator(options)
  return {
    emulator,
    connect(send: (frame: string) => void = () => {}) {
      const told: { event: string; data?: unknown }[] = []
      let isCut = false
      const socket = emulator.connect(
        { url: "/app/app-key?protocol=7", isTLS: false },
        {
          send(frame) {
            send(frame)
            told.push(JSON.parse(frame))
          },
          close() {},
          terminate() {
            isCut = true
          },
        },
      )
      const say = (frame: object | string) =>
        socket.receive(typeof frame === "string" ? frame : JSON.stringify(frame))
      return {
        ...{ socket, told, say },
        get isCut() {
          return isCut
        },
        subscribe(channel: string) {
          const signature = createHmac("sha256", "app-secret").update(`${socket.socketId}:${channel}`)
          const data = { channel, auth: `app-key:${signature.digest("hex")}` }
          say({ event: "pusher:subscribe", data })
        },
      }
    },
  }
}

describe("what is nested too deeply", () => {
  it("is refused by Pusher's emulator, and reaches nobody", () => {
    const posted: unknown[] = []
    const { emulator, connect } = createPusher({
      apps: [
        {
          id: "1",
          key: "app-key",
          secret: "app-secret",
          clientEvents: true,
          webhooks: [{ url: "http://x" }],
        },
      ],
      sendWebhook: async (request) => posted.push(request),
    })
    const writer = connect()
    const reader = connect()
    for (const one of [writer, reader]) one.subscribe("private-a")
    for (const depth of [70, 1_000, 4_370, 4_380, 4_390, 5_000])
      writer.say(`{"event":"client-a","channel":"private-a","data":${nested(depth)}}`)
    expect(writer.told.filter(({ event }) => event === "pusher:error")).toHaveLength(6)
    expect(JSON.stringify([reader.told, posted])).not.toContain("client-a")
    writer.say({ event: "client-b", channel: "private-a", data: { a: { b: [1] } } })
    expect(reader.told.at(-1)).toMatchObject({ event: "client-b", data: { a: { b: [1] } } })
    emulator.stop()
  })

  it("is refused by Ably's emulator in both formats, by socket and by request", async () => {
    const { connect, request } = createAbly()
    for (const depth of [70, 99, 1_000]) {
      const message = JSON.parse(`{"name":"m","extras":${nested(depth)}}`)
      const frame = { action: 15, channel: "room", msgSerial: 0, messages: [message] }
      const bytes = (value: unknown) => encode(value, { maxDepth: 2_000 })
      for (const form of [JSON.stringify(frame), bytes(frame)]) {
        const writer = connect()
        writer.say(form)
        expect(writer.told.at(-1)?.error?.code).toBe(80013)
      }
      expect(await request("POST", "/channels/room/messages", JSON.stringify(message))).toBe(400)
      expect(await request("POST", "/channels/room/messages", bytes(message), "x-msgpack")).toBe(400)
    }
    expect(await request("POST", "/channels/room/messages", `{"extras":${nested(50)}}`)).toBe(201)
    expect(await request("GET", "/channels/room/messages", "", "x-msgpack")).toBe(200)
  })
})

describe("a recipient that can't be written to", () => {
  const fail = () => {
    throw new Error("this socket is broken")
  }

  it("is cut by Pusher's emulator, while the publisher and the others go on", () => {
    const { emulator, connect } = createPusher({
      apps: [{ id: "1", key: "app-key", secret: "app-secret", clientEvents: true }],
    })
    let isBroken = false
    const writer = connect()
    const broken = connect(() => isBroken && fail())
    const reader = connect()
    for (const one of [writer, broken, reader]) one.subscribe("private-a")
    isBroken = true
    writer.say({ event: "client-a", channel: "private-a", data: {} })
    expect(broken.isCut).toBe(true)
    expect(reader.told.at(-1)).toMatchObject({ event: "client-a" })
    writer.say({ event: "pusher:ping", data: {} })
    expect(writer.told.at(-1)).toMatchObject({ event: "pusher:pong" })
    emulator.stop()
  })

  it("is cut by Ably's emulator, at once and after a delay, while the publisher and the others go on", () => {
    const { service, clock, connect } = createAbly()
    let isBroken = false
    const writer = connect()
    const broken = connect({ clientId: "broken" }, () => isBroken && fail())
    const late = connect({ clientId: "late" }, () => isBroken && fail())
    const reader = connect()
    for (const one of [broken, late, reader]) one.say({ action: 10, channel: "room" })
    service.faults.add({ fault: "delay", match: { clientId: "late" }, delayMs: 500 })
    isBroken = true
    writer.say({ action: 15, channel: "room", msgSerial: 0, messages: [{ name: "m" }] })
    expect(broken.isCut).toBe(true)
    expect(reader.told.at(-1)).toMatchObject({ action: 15 })
    expect(writer.told.at(-1)).toMatchObject({ action: 1 })
    clock.advance(500)
    expect(late.isCut).toBe(true)
  })

  it("loses its channel of Ably's when its own filter fails", () => {
    const { connect } = createAbly()
    const writer = connect()
    const odd = connect()
    const reader = connect()
    const filter = Buffer.from('name < `{"toString":1,"valueOf":1}`').toString("base64")
    odd.say({ action: 10, channel: `[filter=${filter}]room` })
    reader.say({ action: 10, channel: "room" })
    writer.say({ action: 15, channel: "room", msgSerial: 0, messages: [{ name: "m" }] })
    expect(odd.told.at(-1)).toMatchObject({ action: 9, error: { code: 40010 } })
    expect(reader.told.at(-1)).toMatchObject({ action: 15 })
    expect(writer.told.at(-1)).toMatchObject({ action: 1 })
  })
})

describe("a reader that doesn't read", () => {
  const size = 1_500_000
  const services = [
    {
      name: "Pusher's",
      async start() {
        const emulator = await startPusherEmulator({
          apps: [{ id: "1", key: "app-key", secret: "app-secret", limits: { eventDataBytes: size } }],
        })
        const library = createServerLibrary(emulator)
        return Object.assign(emulator, {
          socketAt: "/app/app-key?protocol=7",
          join: '{"event":"pusher:subscribe","data":{"channel":"room"}}',
          publish: (data: string) => library.trigger("room", "m", data),
          openSockets: () => emulator.app().connections.size,
        })
      },
    },
    {
      name: "Ably's",
      async start() {
        const emulator = await startAblyEmulator({ limits: { maxMessageSize: 2 * size } })
        const url = `${emulator.url}/channels/room/messages?key=${emulator.key}`
        return Object.assign(emulator, {
          socketAt: `/?key=${emulator.key}&v=2`,
          join: '{"action":10,"channel":"room"}',
          publish: (data: string) => fetch(url, { method: "POST", body: JSON.stringify({ data }) }),
          openSockets: () => emulator.service.sessions.size,
        })
      },
    },
  ]

  it.each(services)(
    "is cut off by $name emulator, and the others go on",
    { timeout: 60_000 },
    async ({ start }) => {
      await using emulator = await start()
      const open = async () => {
        const socket = new WebSocket(emulator.url.replace("http", "ws") + emulator.socketAt)
        await once(socket, "message")
        socket.send(emulator.join)
        await once(socket, "message")
        return socket
      }
      const deaf = await open()
      const reader = await open()
      deaf.pause()
      let read = 0
      reader.on("message", () => {
        read += 1
      })
      // More than both kernels hold of a connection and the emulator keeps.
      for (let sent = 0; sent < 60 && emulator.openSockets() > 1; sent += 1)
        await emulator.publish("x".repeat(size))
      expect(emulator.openSockets()).toBe(1)
      expect(read).toBeGreaterThan(10)
      deaf.terminate()
      reader.terminate()
    },
  )
})

describe("what is let go with time", () => {
  it("channels of Ably's that nobody is in and nothing is kept of", async () => {
    const { app, clock, connect, request } = createAbly({
      apps: [{ namespaces: [{ id: "kept", persisted: true }] }],
    })
    const reader = connect()
    reader.say({ action: 10, channel: "held" })
    for (let n = 0; n < 500; n += 1) {
      await request("POST", `/channels/room-${n}/messages`, '{"name":"m"}')
      await request("GET", `/channels/asked-${n}/messages`)
      const passer = connect()
      passer.say({ action: 10, channel: `passed-${n}` })
      passer.say({ action: 7 })
    }
    await request("POST", "/channels/kept:room/messages", '{"name":"m"}')
    expect(app.channels.size).toBeGreaterThan(1_500)
    clock.advance(10 * 60_000)
    expect([...app.channels.keys()]).toEqual(["held", "kept:room"])
    clock.advance(73 * 3_600_000)
    expect([...app.channels.keys()]).toEqual(["held"])
  })

  it("ids, nonces, tokens, dropped connections and former keys", async () => {
    const { app, clock, connect, request, service } = createAbly()
    const [key] = app.keys
    if (!key) throw new Error("there is no key")
    for (let n = 0; n < 300; n += 1) {
      const fields = { keyName: key.name, timestamp: clock.now(), nonce: `nonce ${n} of this run` }
      const signed = { ...fields, mac: signTokenRequest(key.secret, fields) }
      await request("POST", `/keys/${key.name}/requestToken`, JSON.stringify(signed))
      connect().session.cut()
    }
    expect([app.nonces.size, app.tokens.size, app.connections.size]).toEqual([300, 300, 300])
    clock.advance(26 * 3_600_000)
    expect([app.nonces.size, app.tokens.size, app.connections.size, app.dropped.size]).toEqual([0, 0, 0, 0])

    const first = connect()
    const keyOf = ({ told }: typeof first) => String(told[0]?.connectionKey)
    let last = first
    for (let n = 0; n < 40; n += 1) last = connect({ resume: keyOf(last) })
    const [connection] = app.connections.values()
    expect([connection?.hasKey(keyOf(last)), connection?.hasKey(keyOf(first))]).toEqual([true, false])
    expect(service.sessions.size).toBe(1)
  })

  it("keeps no more dropped connections than it has room for", () => {
    const { app, connect } = createAbly()
    for (let n = 0; n < 10_050; n += 1) connect().session.cut()
    expect(app.connections.size).toBe(10_000)
  })

  it("refuses an append that makes a message longer than any", async () => {
    const { connect } = createAbly()
    const writer = connect()
    const publish = (msgSerial: number, message: object) =>
      writer.say({ action: 15, channel: "mutable:room", msgSerial, messages: [message] })
    publish(0, { data: "x".repeat(60_000) })
    const { res } = writer.told.at(-1) as { res?: { serials: string[] }[] }
    const serial = res?.[0]?.serials[0]
    publish(1, { action: 5, serial, data: "x".repeat(60_000) })
    expect(writer.told.at(-1)).toMatchObject({ action: 2, error: { code: 40009 } })
  })

  it("what passed, for a page that nobody opens", async () => {
    const inspector = createInspector({
      controls: { service: "", channelIn: "match", connectionField: "", switches: [], actions: [] },
      view: () => ({ apps: [], faults: [], settings: {} }),
    })
    const held: WeakRef<object>[] = []
    for (let n = 0; n < 100; n += 1) {
      const frame = { text: "x" }
      held.push(new WeakRef(frame))
      inspector.passed(1024 * 1024, () => ({ from: "client", name: "m", text: frame.text }))
    }
    // What was looked at in this turn is held until its end.
    await new Promise((resolve) => setImmediate(resolve))
    setFlagsFromString("--expose-gc")
    runInNewContext("gc")()
    expect(held.filter((one) => one.deref()).length).toBeLessThan(10)
  })

  it("cached events of Pusher's, and its webhooks", async () => {
    const clock = createPusherClock()
    const cache = createEventCache(clock, 1_000)
    for (let n = 0; n < 100; n += 1) {
      cache.set(`cache-${n}`, "m", "{}")
      clock.advance(100)
    }
    expect(cache.size).toBeLessThanOrEqual(10)
    const { emulator, connect } = createPusher({
      apps: [{ id: "1", key: "app-key", secret: "app-secret", webhooks: [{ url: "http://x" }] }],
      sendWebhook: async () => 200,
    })
    const one = connect()
    for (let n = 0; n < 1_100; n += 1) one.subscribe(`private-${n}`)
    expect(emulator.app().webhooks.deliveries).toHaveLength(1_000)
    emulator.stop()
  })

  it("so many subscriptions of one of Pusher's connections, which goes on", () => {
    const { emulator, connect } = createPusher({
      apps: [{ id: "1", key: "app-key", secret: "app-secret", limits: { subscriptionsPerConnection: 3 } }],
    })
    const one = connect()
    for (const name of ["a", "b", "private-c", "d", "private-e", "presence-f"]) one.subscribe(name)
    const [connection] = emulator.app().connections.values()
    expect([...(connection?.subscriptions ?? [])]).toEqual(["a", "b", "private-c"])
    expect(one.told.filter(({ event }) => event === "pusher:subscription_error")).toMatchObject(
      ["d", "private-e", "presence-f"].map((channel) => ({
        channel,
        data: { type: "LimitReached", status: 4100 },
      })),
    )
    expect(connection?.isOpen).toBe(true)
    emulator.stop()
  })
})

describe("MessagePack that declares more than it holds", () => {
  const header = (type: number, length: number) => [
    type,
    ...new Uint8Array(new Uint32Array([length]).buffer).reverse(),
  ]
  const repeated = (bytes: number[], times: number) => Buffer.concat(Array(times).fill(Buffer.from(bytes)))

  it.each([
    ["60 arrays of 16 million each", repeated(header(0xdd, 0xff_ff_ff), 60)],
    ["an array of four thousand million", Buffer.from(header(0xdd, 0xff_ff_ff_ff))],
    ["a map of as many", Buffer.from(header(0xdf, 0xff_ff_ff_ff))],
    ["text of as many", Buffer.from(header(0xdb, 0xff_ff_ff_ff))],
    ["arrays that each claim all that is left", repeated([0xdc, 0xff, 0x00], 60_000)],
    ["half a header", Buffer.from([0xdd, 0, 0])],
    ["nothing", Buffer.alloc(0)],
  ])("%s is refused before there is room for it", async (_, bytes) => {
    const { connect, request } = createAbly()
    const before = process.memoryUsage().arrayBuffers + process.memoryUsage().heapTotal
    const writer = connect()
    writer.say(bytes)
    expect(writer.told.at(-1)?.error?.code).toBe(80013)
    expect(await request("POST", "/channels/room/messages", bytes, "x-msgpack")).toBe(400)
    const grown = process.memoryUsage().arrayBuffers + process.memoryUsage().heapTotal - before
    expect(grown).toBeLessThan(64 * 1024 * 1024)
  })

  it("and all that is sound is read", () => {
    const { connect } = createAbly()
    const reader = connect()
    reader.say({ action: 10, channel: "room" })
    const writer = connect()
    const extras = {
      headers: {
        a: [1, -1, 300, -300, 70_000, -70_000, 2 ** 40, -(2 ** 40), 1.5, true, false, null, new Date(0)],
      },
      text: ["x".repeat(20), "x".repeat(40), "x".repeat(300), "x".repeat(40_000)],
      lists: [
        Array(15).fill(1),
        Array(16).fill(1),
        Object.fromEntries(Array.from({ length: 20 }, (_, n) => [n, n])),
      ],
    }
    writer.say(
      encode({
        action: 15,
        channel: "room",
        msgSerial: 0,
        messages: [{ name: "m", data: Buffer.alloc(300), extras }],
      }),
    )
    expect(reader.told.at(-1)).toMatchObject({
      messages: [{ extras: { text: extras.text, lists: extras.lists } }],
    })
  })
})
