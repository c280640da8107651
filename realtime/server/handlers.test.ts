import { describe, expect, it } from "vitest"
import { isRealtimeError, type OnError, RealtimeError, type WireError } from "../errors.ts"
import { createMemoryLog } from "../log/memory.ts"
import type { MessageLog } from "../log/message-log.ts"
import { ownerHeaders } from "../owner.ts"
import { createAblyPublisher } from "../providers/ably/server.ts"
import type { RealtimePublisher } from "../publisher.ts"
import { contractChannels, createContractRealtime } from "../testing/index.ts"
import { startMemoryBackend } from "../testing/memory-backend.ts"
import { createRealtime } from "./create-realtime.ts"

const room = contractChannels.room({ room: "日本語/:" }).name
const uuid = () => crypto.randomUUID()

const tellTo =
  (told: string[]): OnError =>
  (error, { stage }) =>
    void told.push(`${stage}: ${isRealtimeError(error) ? error.code : String(error)}`)

function setup(log: MessageLog = createMemoryLog()) {
  /** What whoever runs the server hears of. */
  const told: string[] = []
  const realtime = createContractRealtime({ publishers: [], log, onError: tellTo(told) })
  const call = async (path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const request = new Request(`http://app.test/api/realtime/${path}`, {
      headers: {
        "x-contract-user": '{"id":"alice"}',
        ...(body !== undefined && { "content-type": "application/json" }),
        ...headers,
      },
      ...(body !== undefined && {
        method: "POST",
        body: typeof body === "string" ? body : JSON.stringify(body),
      }),
    })
    const response = await (body === undefined
      ? realtime.handlers.GET(request)
      : realtime.handlers.POST(request))
    return { status: response.status, headers: response.headers, body: await response.json() }
  }
  return { realtime, call, told }
}

const query = (parameters: Record<string, string>) => new URLSearchParams(parameters).toString()

describe("a body", () => {
  const paths = ["publish", "credentials/ably", "webhooks/ably"]

  async function send(path: string, body: ReadableStream) {
    const told: string[] = []
    const publishers = [createAblyPublisher({ apiKey: "a.b:c" })]
    const { handlers } = createContractRealtime({ publishers, onError: tellTo(told) })
    const headers = { "content-type": "application/json", "x-contract-user": '{"id":"alice"}' }
    const { status } = await handlers.POST(
      new Request(`http://app.test/api/realtime/${path}`, {
        method: "POST",
        headers,
        body,
        // Node asks for it with a stream; the browsers' types don't know it.
        ...{ duplex: "half" },
      }),
    )
    return { status, told }
  }

  it.each(paths)("without end is read no further than the limit, to %s", async (path) => {
    let sent = 0
    const body = new ReadableStream({
      pull(controller) {
        sent += 1
        controller.enqueue(new Uint8Array(1024 * 1024))
      },
    })
    expect((await send(path, body)).status).toBe(413)
    expect(sent).toBeLessThan(10)
  })

  it.each(paths)(
    "whose sender goes away in the middle is no failure of the server's, to %s",
    async (path) => {
      const body = new ReadableStream({
        start: (controller) => controller.enqueue(new TextEncoder().encode('{"channel":')),
        pull: (controller) => controller.error(Object.assign(new Error("aborted"), { code: "ECONNRESET" })),
      })
      expect(await send(path, body)).toEqual({ status: 400, told: [] })
    },
  )
})

describe("whoever runs the server", () => {
  const away = () => Promise.reject(new RealtimeError("log-unavailable", { message: "unable to reach it" }))
  const message = () => ({ id: uuid(), event: "said", payload: { text: "x" } })

  it("hears of each answer that the server itself couldn't give", async () => {
    const { call, told } = setup({ ...createMemoryLog(), readAfter: away, heads: away })
    expect((await call(`history?${query({ channel: room, after: "0" })}`)).status).toBe(503)
    expect((await call(`head?${query({ channel: room })}`)).status).toBe(503)
    expect(told).toEqual([
      "answer GET /api/realtime/history: log-unavailable",
      "answer GET /api/realtime/head: log-unavailable",
    ])
  })

  it.each([
    ["throws", "accept a message: Error: broken", () => Promise.reject(new Error("broken"))],
    ["can't be answered", "accept a message: log-unavailable", away],
  ])("hears of it when the question who may do what %s", async (_, line, authorize) => {
    const told: string[] = []
    const realtime = createRealtime({
      ...{ channels: contractChannels, identify: () => ({ id: "alice" }), authorize },
      ...{ log: createMemoryLog(), publishers: [] },
      onError: tellTo(told),
    })
    const [result] = await realtime.core.accept({ id: "alice" }, room, [message()])
    expect(result).toHaveProperty("error")
    expect(told).toEqual([line])
  })

  it("hears once that the log takes no messages, however many wait for it, until it takes some again", async () => {
    let isAway = true
    const memory = createMemoryLog()
    const { call, told } = setup({
      ...memory,
      append: (entries) => (isAway ? away() : memory.append(entries)),
    })
    const publish = () => call("publish", { channel: room, messages: [message()] })
    const answers = [...(await Promise.all([publish(), publish()])), await publish()]
    expect(answers.map(({ status }) => status)).toEqual([503, 503, 503])
    expect(told).toEqual(["append to the log: log-unavailable"])
    isAway = false
    expect((await publish()).status).toBe(200)
    isAway = true
    await publish()
    expect(told).toHaveLength(2)
  })

  it("hears of no refusal", async () => {
    const { call, told } = setup()
    const answers = [
      await call(`history?${query({ channel: contractChannels.vault({ vault: "1" }).name })}`),
      await call("publish", "not JSON"),
      await call("nothing"),
      await call("config", undefined, { "x-contract-user": "null" }),
      await call("config", undefined, ownerHeaders("bob")),
    ]
    expect(answers.map(({ status }) => status)).toEqual([403, 400, 400, 401, 409])
    expect(told).toEqual([])
  })
})

describe("whoever is identified by a whole row of a database", () => {
  const row = { id: "alice", name: "Alice", passwordHash: "secret" }

  const hearing = (signals: unknown[]): RealtimePublisher => ({
    provider: "hearing",
    publish: async () => {},
    signal: async ({ from }) => void signals.push(from),
    revoke: async () => {},
    members: async () => ({ count: 0, members: [] }),
    clientConfig: () => ({ provider: "hearing" }),
    credentials: async () => ({}),
    close: async () => {},
  })

  it("is shown by id and name alone, whoever sends in their name", async () => {
    const signals: unknown[] = []
    const asked: unknown[] = []
    const realtime = createRealtime({
      ...{ channels: contractChannels, log: createMemoryLog(), publishers: [hearing(signals)] },
      identify: () => row,
      authorize: ({ user }) => asked.push(user) > 0,
    })
    const post = (path: string, event: string, more: object) =>
      realtime.handlers.POST(
        new Request(`http://app.test/api/realtime/${path}`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ channel: room, event, ...more }),
        }),
      )
    const message = { id: uuid(), event: "said", payload: { text: "1" } }
    expect((await post("publish", "said", { messages: [message] })).status).toBe(200)
    expect((await post("signal", "typing", { payload: { isTyping: true } })).status).toBe(200)
    const channel = contractChannels.room({ room: "日本語/:" })
    await realtime.publish(channel, "said", { text: "2" }, { from: row })
    await realtime.signal(channel, "typing", { isTyping: true }, { from: row })
    const { messages } = await realtime.history(channel)
    const shown = { id: "alice", name: "Alice" }
    expect([...asked, ...messages.map(({ from }) => from), ...signals]).toEqual(Array(6).fill(shown))
  })

  it("needs an id", async () => {
    const realtime = createRealtime({
      ...{ channels: contractChannels, log: createMemoryLog(), publishers: [], authorize: () => true },
      identify: () => ({ id: 7 }) as never,
      onError: () => {},
    })
    const asked = new Request(`http://app.test/api/realtime/head?${query({ channel: room })}`)
    const answer = await realtime.handlers.GET(asked)
    expect([answer.status, await answer.json()]).toMatchObject([500, { error: { code: "invalid-config" } }])
  })
})

describe("the catch-all route", () => {
  it("publishes and reads back", async () => {
    const { call } = setup()
    const message = { id: uuid(), event: "said", payload: { text: "こんにちは" } }
    const published = await call("publish", { channel: room, messages: [message] })
    expect(published).toMatchObject({
      status: 200,
      body: { results: [{ receipt: { id: message.id, seq: 1 } }] },
    })
    const history = await call(`history?${query({ channel: room })}`)
    expect(history.body.messages).toMatchObject([{ ...message, seq: 1, from: { id: "alice" } }])
    expect((await call(`head?${query({ channel: room })}`)).body.heads[room]).toMatchObject({
      seq: 1,
      first: 1,
    })
  })

  it("tells the heads of many channels, and of each that is refused why", async () => {
    const { call } = setup()
    const names = [room, "", "x".repeat(600), "nowhere", "vault:1", "room:%00", "room:\0", "__proto__"]
    const asked = new URLSearchParams(names.map((name) => ["channel", name]))
    const { status, body } = await call(`head?${asked}`)
    expect([status, Object.keys(body.heads)]).toEqual([200, [room]])
    const codes = Object.entries(body.denied).map(([name, error]) => [name, (error as WireError).code])
    expect(new Set(codes)).toEqual(
      new Set([
        ["", "invalid-request"],
        ["x".repeat(600), "invalid-request"],
        ["nowhere", "channel-unknown"],
        ["vault:1", "channel-denied"],
        ["room:%00", "channel-unknown"],
        ["room:\0", "channel-unknown"],
        ["__proto__", "channel-unknown"],
      ]),
    )
  })

  it("counts people in many channels, for those who may ask", async () => {
    await using backend = await startMemoryBackend()
    const { realtime } = backend
    const get = (path: string) =>
      realtime.handlers.GET(
        new Request(`http://app.test/api/realtime/${path}`, {
          headers: { "x-contract-user": '{"id":"alice"}' },
        }),
      )
    const answer = await get(`counts?${query({ channel: room })}&channel=room:2`)
    expect(await answer.json()).toEqual({ counts: { [room]: 0, "room:2": 0 }, denied: {} })
    expect(await (await get("counts?channel=room:1&channel=vault:1")).json()).toMatchObject({
      counts: { "room:1": 0 },
      denied: { "vault:1": { code: "channel-denied" } },
    })
    const many = Array.from({ length: 101 }, (_, n) => `channel=room:${n}`).join("&")
    expect((await get(`counts?${many}`)).status).toBe(400)
  })

  it("counts null where no provider can tell, and takes no webhook there", async () => {
    const { call } = setup()
    expect((await call(`counts?${query({ channel: room })}`)).body).toEqual({
      counts: { [room]: null },
      denied: {},
    })
    expect((await call("webhooks/memory", {})).status).toBe(501)
  })

  it("pages through the history both ways", async () => {
    const { realtime, call } = setup()
    const ref = contractChannels.room({ room: "日本語/:" })
    for (let n = 1; n <= 7; n += 1) await realtime.publish(ref, "said", { text: String(n) })
    const read = async (parameters: Record<string, string>) =>
      (await call(`history?${query({ channel: room, ...parameters })}`)).body.messages.map(
        ({ seq }: { seq: number }) => seq,
      )
    expect(await read({ limit: "3" })).toEqual([5, 6, 7])
    expect(await read({ before: "5", limit: "3" })).toEqual([2, 3, 4])
    expect(await read({ after: "2", limit: "3" })).toEqual([3, 4, 5])
    expect(await read({ after: "7" })).toEqual([])
  })

  it("is never cached", async () => {
    const { call } = setup()
    expect((await call(`history?${query({ channel: room })}`)).headers.get("cache-control")).toBe("no-store")
    expect((await call("nothing")).headers.get("cache-control")).toBe("no-store")
  })

  it.each([
    ["history", 400, "invalid-request"],
    [`history?${query({ channel: "" })}`, 400, "invalid-request"],
    [`history?${query({ channel: "x".repeat(600) })}`, 400, "invalid-request"],
    [`history?${query({ channel: "nowhere" })}`, 404, "channel-unknown"],
    [`history?${query({ channel: "vault:1" })}`, 403, "channel-denied"],
    [`history?${query({ channel: "room:1", after: "-1" })}`, 400, "invalid-request"],
    [`history?${query({ channel: "room:1", limit: "1e3" })}`, 400, "invalid-request"],
    [`history?${query({ channel: "room:1", before: "9".repeat(30) })}`, 400, "invalid-request"],
    [`head?${"channel=room:1&".repeat(101)}`, 400, "invalid-request"],
    [`members?${query({ channel: "room:1", provider: "carrier-pigeon" })}`, 501, "unsupported"],
    ["", 400, "invalid-request"],
    ["nothing", 400, "invalid-request"],
    ["history/too/deep", 400, "invalid-request"],
    ["constructor", 400, "invalid-request"],
  ])("refuses GET %s", async (path, status, code) => {
    expect(await setup().call(path)).toMatchObject({ status, body: { error: { code } } })
  })

  it.each([
    ["publish", "not json", 400, "invalid-request"],
    ["publish", "[]", 400, "invalid-request"],
    ["publish", "null", 400, "invalid-request"],
    ["publish", {}, 400, "invalid-request"],
    ["publish", { channel: "room:1" }, 400, "invalid-request"],
    ["publish", { channel: "room:1", messages: [1] }, 400, "invalid-request"],
    ["publish", { channel: ["room:1"], messages: [] }, 400, "invalid-request"],
    ["publish", { channel: "nowhere", messages: [] }, 404, "channel-unknown"],
    ["publish", { channel: "room:1", messages: Array(101).fill({}) }, 400, "invalid-request"],
    ["publish", `{"channel":"${"x".repeat(5_000_000)}"}`, 413, "message-too-large"],
    ["signal", { channel: "room:1", event: "toString", payload: 1 }, 422, "event-unknown"],
    ["signal", { channel: "room:1", event: { toString: 1 }, payload: 1 }, 422, "event-unknown"],
    ["signal", { channel: "room:1", event: "typing", payload: { isTyping: 1 } }, 422, "invalid-payload"],
    ["signal", { channel: "vault:1", event: "typing", payload: { isTyping: true } }, 403, "channel-denied"],
    ["credentials/carrier-pigeon", {}, 501, "unsupported"],
  ])("refuses POST %s %j", async (path, body, status, code) => {
    expect(await setup().call(path, body)).toMatchObject({ status, body: { error: { code } } })
  })

  it("refuses a form of another site, and whoever isn't signed in", async () => {
    const { call } = setup()
    const form = { "content-type": "application/x-www-form-urlencoded" }
    expect(await call("publish", "channel=room:1", form)).toMatchObject({ status: 400 })
    expect(await call("publish", "{}", { "content-type": "text/plain" })).toMatchObject({ status: 400 })
    const nobody = { "x-contract-user": "null" }
    expect(await call("publish", {}, nobody)).toMatchObject({
      status: 401,
      body: { error: { code: "unauthorized" } },
    })
  })

  it("answers a page only while its owner is signed in, whatever it asks", async () => {
    const { call } = setup()
    const message = { id: uuid(), event: "said", payload: { text: "mine" } }
    const requests: [path: string, body?: unknown][] = [
      ...["config", "history", "head", "counts", "members"].map((path): [string] => [
        `${path}?${query({ channel: room })}`,
      ]),
      ["publish", { channel: room, messages: [message] }],
      ["signal", { channel: room, event: "typing", payload: { isTyping: true } }],
      ...["socketio", "pusher", "ably"].map((provider): [string, object] => [`credentials/${provider}`, {}]),
    ]
    const pageOf = (owner: string, user: string | null) => ({
      ...ownerHeaders(owner),
      "x-contract-user": JSON.stringify(user === null ? null : { id: user }),
    })
    for (const [path, body] of requests) {
      for (const user of ["bob", null]) {
        expect(await call(path, body, pageOf("alice", user)), `${path} of ${user}`).toMatchObject({
          status: 409,
          body: { error: { code: "session-changed" } },
        })
      }
      const { body: own } = await call(path, body, pageOf("alice", "alice"))
      expect(own.error?.code, path).not.toBe("session-changed")
    }
    const { body } = await call(`history?${query({ channel: room })}`)
    expect(body.messages).toMatchObject([{ id: message.id, from: { id: "alice" } }])
  })

  it("takes an id that no header could hold for what it is", async () => {
    const { call } = setup()
    const id = "アキ: 100%"
    const page = { ...ownerHeaders(id), "x-contract-user": encodeURIComponent(JSON.stringify({ id })) }
    expect(await call("config", undefined, page)).toMatchObject({ status: 200 })
  })

  it("says that the log can't be written, keeps nothing, and goes on when it can", async () => {
    const log = createMemoryLog()
    let isFull = true
    const { call } = setup({
      ...log,
      async append(entries) {
        if (isFull)
          throw new RealtimeError("log-unavailable", { message: "unable to append; the disk is full" })
        return log.append(entries)
      },
    })
    const publish = () =>
      call("publish", { channel: room, messages: [{ id: uuid(), event: "said", payload: { text: "x" } }] })
    expect(await publish()).toMatchObject({ status: 503, body: { error: { code: "log-unavailable" } } })
    isFull = false
    expect((await publish()).body.results[0].receipt.seq).toBe(1)
  })

  it("tells nothing of what broke inside", async () => {
    const log = createMemoryLog()
    const { call } = setup({
      ...log,
      async readBefore() {
        throw new Error("canary: a secret of the inside")
      },
    })
    const { status, body } = await call(`history?${query({ channel: room })}`)
    expect([status, body.error.code]).toEqual([500, "internal"])
    expect(JSON.stringify(body)).not.toContain("canary")
  })
})

describe("state", () => {
  const ref = contractChannels.room({ room: "state" })
  const ask = (keys: unknown) => ({ channel: ref.name, keys })

  it("is answered as it is, with the keys left for another question that don't fit into one answer", async () => {
    const { realtime, call } = setup()
    const state = realtime.state(ref)
    const quote = { bid: 1, ask: 2, note: "x".repeat(30_000) }
    for (let n = 0; n < 10; n += 1) await state.set(`quote:${n}`, quote)
    await state.delete("quote:9")
    const { status, body } = await call("state", ask(["quote:1", "quote:9", "other"]))
    expect([status, body]).toEqual([
      200,
      { epoch: expect.any(String), version: 11, entries: [{ key: "quote:1", version: 2, value: quote }] },
    ])
    // Of a store whose keys are more than that.
    const entries = Array.from({ length: 50 }, (_, n) => ({
      key: `quote:${n}`,
      version: n + 1,
      value: quote,
    }))
    const log = createMemoryLog()
    const read = async () => ({ epoch: "one", version: 50, entries })
    const large = setup({ ...log, state: { ...(log.state as NonNullable<typeof log.state>), read } })
    const first = await large.call("state", ask(entries.map(({ key }) => key)))
    expect(first.body.entries.length + first.body.rest.length).toBe(50)
    expect(first.body.rest).toContain("quote:49")
  })

  it.each([[undefined], ["quote:1"], [[1]], [["x".repeat(201)]], [Array.from({ length: 501 }, String)]])(
    "isn't answered for keys that are none: %#",
    async (keys) => {
      expect(await setup().call("state", ask(keys))).toMatchObject({
        status: 400,
        body: { error: { code: "invalid-request" } },
      })
    },
  )

  it("says so where the log keeps none", async () => {
    const { state: _, ...log } = createMemoryLog()
    const { realtime, call, told } = setup(log)
    const { body } = await call("state", ask(["quote:1"]))
    expect(body.error.code).toBe("unsupported")
    await expect(realtime.state(ref).set("phase", "open")).rejects.toMatchObject({ code: "unsupported" })
    expect(told).toEqual([])
  })
})

describe("a snapshot", () => {
  const ref = contractChannels.room({ room: "snapshot" })
  const bytes = Uint8Array.from({ length: 256 }, (_, index) => index)
  const written = (upTo: number, ifUpTo: number) => ({ upTo, ifUpTo, bytes })

  /** A server whose channel has ten messages. */
  async function setupTen(log = createMemoryLog()) {
    const { realtime, call, told } = setup(log)
    const said = { channel: ref, event: "said", payload: { text: "hello" } }
    const [{ epoch } = { epoch: "" }] = await realtime.publishBatch(Array.from({ length: 10 }, () => said))
    return { realtime, call, told, epoch, slot: realtime.snapshot(ref) }
  }

  it("is answered with what follows it, and so is the one before", async () => {
    const { call, slot, epoch } = await setupTen()
    const seqs = (body: { messages: { seq: number }[] }) => body.messages.map(({ seq }) => seq)
    const none = await call("snapshot", { channel: ref.name })
    expect([none.status, none.body.snapshot, none.body.messages.length]).toEqual([200, null, 10])
    await slot.write({ epoch, ...written(4, 0) })
    await slot.write({ epoch, ...written(8, 4) })
    const { body } = await call("snapshot", { channel: ref.name })
    expect(body).toMatchObject({ head: { epoch, seq: 10, first: 1 }, mark: expect.any(String) })
    expect(body.snapshot).toEqual({ upTo: 8, bytes: Buffer.from(bytes).toString("base64") })
    expect(seqs(body)).toEqual([9, 10])
    const before = await call("snapshot", { channel: ref.name, before: 8 })
    expect([before.body.snapshot.upTo, seqs(before.body)]).toEqual([4, [5, 6, 7, 8, 9, 10]])
    expect((await slot.read({ before: 4 })).snapshot).toBeNull()
  })

  it.each([["8"], [-1], [1.5], [null]])("isn't answered before %j", async (before) => {
    const { call } = await setupTen()
    const { status, body } = await call("snapshot", { channel: ref.name, before })
    expect([status, body.error.code]).toEqual([400, "invalid-request"])
  })

  it("that lies about what it reaches is refused, and so is one that is none", async () => {
    const { slot, epoch } = await setupTen()
    await slot.write({ epoch, ...written(5, 0) })
    for (const lie of [
      written(11, 5),
      written(5, 5),
      written(4, 5),
      written(0, 0),
      written(Number.NaN, 5),
      written(6.5, 5),
      { ...written(6, 5), epoch: undefined as unknown as string },
      { ...written(6, 5), bytes: "bytes" as unknown as Uint8Array },
    ]) {
      const writing = slot.write({ epoch, ...lie })
      await expect(writing).rejects.toMatchObject({ code: "invalid-request", retryable: false })
    }
    const large = { ...written(6, 5), bytes: new Uint8Array(2 * 1024 * 1024 + 1) }
    await expect(slot.write({ epoch, ...large })).rejects.toMatchObject({ code: "message-too-large" })
    expect((await slot.read()).snapshot?.upTo).toBe(5)
  })

  it("of two who write it one does, and the other is told what is there; so is one of another life", async () => {
    const { slot, epoch } = await setupTen()
    const both = await Promise.all([6, 7].map((upTo) => slot.write({ epoch, ...written(upTo, 0) })))
    expect(both).toEqual([
      { isWritten: true, epoch, upTo: 6, seq: 10 },
      { isWritten: false, epoch, upTo: 6, seq: 10 },
    ])
    expect(await slot.write({ epoch: "another", ...written(30, 6) })).toEqual({
      ...{ isWritten: false, epoch, upTo: 6, seq: 10 },
    })
  })

  it("is read again where a newer one and a trim came between it and what follows it", async () => {
    const log = createMemoryLog()
    let isTrimmed = false
    const { slot, epoch } = await setupTen({
      ...log,
      async readAfter(channel, seq, limit) {
        if (seq === 4 && !isTrimmed) {
          isTrimmed = true
          await log.snapshots?.write(channel, { epoch, ...written(9, 4) })
          // As retention does once there have been many more messages, or a day.
          await log.trim({ channels: [channel], maxMessagesPerChannel: 0 })
          await log.snapshots?.write(channel, { epoch, ...written(10, 0) })
        }
        return log.readAfter(channel, seq, limit)
      },
    })
    await slot.write({ epoch, ...written(4, 0) })
    const { snapshot, head, messages } = await slot.read()
    expect([snapshot?.upTo, head.first, messages]).toEqual([10, 11, []])
  })

  it("is given as it is where nothing has what is missing behind it", async () => {
    const log = createMemoryLog()
    const lacking = {
      ...log,
      snapshots: { ...log.snapshots, read: async () => ({ epoch: "", snapshot: null }) },
    }
    const { slot } = await setupTen(lacking as MessageLog)
    await log.trim({ maxMessagesPerChannel: 3 })
    const { snapshot, head, messages } = await slot.read()
    expect([snapshot, head.first, messages.length]).toEqual([null, 8, 3])
  })

  it("is nothing that a log has to keep", async () => {
    const { snapshots: _, ...log } = createMemoryLog()
    const { slot, call, epoch, told } = await setupTen(log)
    expect((await call("snapshot", { channel: ref.name })).body.error.code).toBe("unsupported")
    for (const use of [slot.read(), slot.write({ epoch, ...written(1, 0) }), slot.trim()])
      await expect(use).rejects.toMatchObject({ code: "unsupported" })
    expect(told).toEqual([])
  })
})
