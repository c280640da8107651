import { existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { v7 as uuidv7 } from "uuid"
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import * as z from "zod/mini"
import { defineChannel } from "../channel.ts"
import { RealtimeError } from "../errors.ts"
import { createMemoryLog } from "../log/memory.ts"
import { createSqliteLog } from "../log/sqlite.ts"
import type { Member, WireMessage } from "../message.ts"
import type { RealtimePublisher } from "../publisher.ts"
import { contractChannels, createContractRealtime } from "../testing/index.ts"
import { createRealtime } from "./create-realtime.ts"

const room = (name: string) => contractChannels.room({ room: name })

/** A provider that keeps what it was given, call by call, or fails. */
function createRecorder(provider: string, error?: Error) {
  const calls: (readonly WireMessage[])[] = []
  const publisher: RealtimePublisher = {
    provider,
    async publish(messages) {
      calls.push(messages)
      if (error) throw error
    },
    signal: async () => {},
    revoke: async () => {},
    members: async () => ({ count: 0, members: [] }),
    clientConfig: () => ({ provider }),
    credentials: async () => ({}),
    close: async () => {},
  }
  return { calls, publisher }
}

describe("closing", () => {
  afterEach(() => void vi.useRealTimers())

  it("waits no longer than ten seconds for a log that doesn't answer, and closes each part once", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] })
    const onError = vi.fn()
    const [closeLog, closeFirst, closeSecond] = [vi.fn(async () => {}), vi.fn(), vi.fn(async () => {})]
    closeFirst.mockRejectedValue(new Error("no end"))
    const realtime = createRealtime({
      ...{ channels: contractChannels, identify: () => null, authorize: () => true, onError },
      log: { ...createMemoryLog(), append: () => new Promise(() => {}), close: closeLog },
      publishers: [
        { ...createRecorder("one").publisher, close: closeFirst },
        { ...createRecorder("two").publisher, close: closeSecond },
      ],
    })
    void realtime.publish(room("a"), "said", { text: "lost" })
    await new Promise(setImmediate)
    const closing = realtime.close()
    expect(realtime.close()).toBe(closing)
    const closed = expect(closing).rejects.toThrow("no end")
    await vi.advanceTimersByTimeAsync(9_999)
    expect(closeLog).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(1)
    await closed
    expect(onError).toHaveBeenCalledWith(expect.objectContaining({ code: "timeout" }), { stage: "stop" })
    for (const close of [closeLog, closeFirst, closeSecond]) expect(close).toHaveBeenCalledOnce()
  })
})

describe("closing, where parts of it can't be closed", () => {
  afterEach(() => void vi.useRealTimers())

  function start(closeLog: () => Promise<void>, ...closers: (() => Promise<void>)[]) {
    return createRealtime({
      ...{ channels: contractChannels, identify: () => null, authorize: () => true },
      log: { ...createMemoryLog(), close: closeLog },
      publishers: closers.map((close, index) => ({ ...createRecorder(`p${index}`).publisher, close })),
    })
  }

  it("closes the log although a publisher never ends", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] })
    const closeLog = vi.fn(async () => {})
    const closing = start(closeLog, () => new Promise(() => {})).close()
    const closed = expect(closing).rejects.toMatchObject({
      code: "timeout",
      message: expect.stringContaining("close the publisher of p0"),
    })
    await vi.advanceTimersByTimeAsync(60_000)
    await closed
    expect(closeLog).toHaveBeenCalledOnce()
  })

  it("leaves a log that never ends", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] })
    const closing = start(() => new Promise(() => {})).close()
    const closed = expect(closing).rejects.toThrow("close the log")
    await vi.advanceTimersByTimeAsync(60_000)
    await closed
  })

  it("rejects with all that failed, also at once", async () => {
    const fails = (message: string) => () => {
      throw new Error(message)
    }
    const closing = start(() => Promise.reject(new Error("log")), fails("one"), fails("two")).close()
    await expect(closing).rejects.toMatchObject({
      errors: [new Error("one"), new Error("two"), new Error("log")],
    })
  })
})

describe("publishing from a browser", () => {
  it("is asked about message by message, with what the same request brings before it", async () => {
    const asked: unknown[] = []
    const realtime = createRealtime({
      ...{ channels: contractChannels, log: createMemoryLog(), publishers: [], identify: () => null },
      authorize({ payload, earlier = [] }) {
        asked.push([payload, earlier.map(({ id }) => id)])
        return true
      },
    })
    const [first, second] = [uuidv7(), uuidv7()]
    const said = (id: string, text: string) => ({ id, event: "said", payload: { text } })
    await realtime.core.accept({ id: "alice" }, room("a").name, [said(first, "1"), said(second, "2")])
    await realtime.core.accept({ id: "alice" }, room("a").name, [said(uuidv7(), "3")])
    expect(asked).toEqual([
      [{ text: "1" }, []],
      [{ text: "2" }, [first]],
      [{ text: "3" }, []],
    ])
  })

  /**
   * A room whose rule is what the test says of a message's text, or throws; what
   * was said before it is told, too.
   */
  function open(rule: (text: string, earlier: string[]) => boolean) {
    const log = createMemoryLog()
    const { core } = createRealtime({
      ...{ channels: contractChannels, log, publishers: [], identify: () => null, onError: () => {} },
      async authorize({ payload, earlier = [] }) {
        const textOf = ({ payload }: { payload?: unknown }) => (payload as { text: string }).text
        return rule(textOf({ payload }), earlier.map(textOf))
      },
    })
    const { name } = room("a")
    return {
      publish: async (...texts: string[]) => {
        const messages = texts.map((text) => ({ id: uuidv7(), event: "said", payload: { text } }))
        const results = await core.accept({ id: "alice" }, name, messages)
        return results.map((result) =>
          "error" in result ? [result.error.code, result.error.retryable] : result.receipt.seq,
        )
      },
      said: async () =>
        (await log.readAfter(name, 0, 100)).messages.map(({ payload }) => (payload as { text: string }).text),
    }
  }

  it.each([
    ["internal", new Error("the application's own code failed")],
    ["log-unavailable", new RealtimeError("log-unavailable", { message: "the index is behind" })],
    ["rate-limited", new RealtimeError("rate-limited", { message: "too much", retryAfterMs: 1_000 })],
    ["conflict", new RealtimeError("conflict", { message: "not yet", retryable: true })],
  ])(
    "lets nothing pass what fails with %s: it waits, as does all that is refused behind it",
    async (code, failure) => {
      let isFailing = true
      const { publish, said } = open((text) => {
        if (text === "bad" && isFailing) throw failure
        return text !== "refused"
      })
      const failed = [code, true]
      expect(await publish("1", "bad", "2", "refused", "3")).toEqual([1, failed, failed, failed, failed])
      expect(await said()).toEqual(["1"])
      isFailing = false
      expect(await publish("bad", "2", "refused", "3")).toEqual([2, 3, ["channel-denied", false], 4])
      expect(await said()).toEqual(["1", "bad", "2", "3"])
    },
  )

  it("tells of no message before it that was refused", async () => {
    const asked: [string, string[]][] = []
    const { publish, said } = open((text, earlier) => {
      asked.push([text, earlier])
      if (text.startsWith("deletes ")) return earlier.includes(text.slice("deletes ".length))
      return text !== "refused"
    })
    const denied = ["channel-denied", false]
    expect(await publish("1", "refused", "deletes refused", "deletes 1", "2")).toEqual([
      ...[1, denied, denied, 2, 3],
    ])
    expect(await said()).toEqual(["1", "deletes 1", "2"])
    // Those behind it once more, knowing what became of it; nobody is asked a third time.
    expect(asked.slice(5)).toEqual([
      ["deletes refused", ["1"]],
      ["deletes 1", ["1"]],
      ["2", ["1", "deletes 1"]],
    ])
  })

  it("says that what waits waits for the one before", async () => {
    const core = createRealtime({
      ...{ channels: contractChannels, log: createMemoryLog(), publishers: [], identify: () => null },
      authorize: () => Promise.reject(new RealtimeError("rate-limited", { message: "x", retryAfterMs: 7 })),
    }).core
    const said = () => ({ id: uuidv7(), event: "said", payload: { text: "x" } })
    const [, second] = await core.accept({ id: "alice" }, room("a").name, [said(), said()])
    expect(second).toMatchObject({
      error: { code: "rate-limited", retryAfterMs: 7, message: expect.stringContaining("the one before") },
    })
  })

  it("keeps none of a request that the log doesn't take, and all in order once it does", async () => {
    const log = createMemoryLog()
    let isOut = true
    const { core } = createRealtime({
      ...{ channels: contractChannels, publishers: [], identify: () => null, authorize: () => true },
      log: {
        ...log,
        append: async (entries) => {
          if (isOut) throw new RealtimeError("log-unavailable", { message: "the log is away" })
          return log.append(entries)
        },
      },
      onError: () => {},
    })
    const messages = ["1", "2", "3"].map((text) => ({ id: uuidv7(), event: "said", payload: { text } }))
    const publish = () => core.accept({ id: "alice" }, room("a").name, messages)
    await expect(publish()).rejects.toMatchObject({ code: "log-unavailable", retryable: true })
    isOut = false
    expect(await publish()).toMatchObject([1, 2, 3].map((seq) => ({ receipt: { seq } })))
  })
})

describe("publishing from server code", () => {
  it("accepts a batch over several rooms in one commit, in the order given", async () => {
    const { calls, publisher } = createRecorder("one")
    const realtime = createContractRealtime({ publishers: [publisher] })
    const entries = ["a", "b", "a"].map((name, index) => ({
      channel: room(name),
      event: "said",
      payload: { text: String(index) },
    }))
    const receipts = await realtime.publishBatch(entries)
    expect(receipts.map(({ seq }) => seq)).toEqual([1, 1, 2])
    expect(
      calls.map((messages) => messages.map(({ payload }) => (payload as { text: string }).text)),
    ).toEqual([["0", "1", "2"]])
  })

  it("accepts a batch whole or not at all", async () => {
    const { calls, publisher } = createRecorder("one")
    const realtime = createContractRealtime({ publishers: [publisher] })
    const good = { channel: room("a"), event: "said", payload: { text: "x" } }
    for (const bad of [
      { ...good, payload: { text: 1 } },
      { ...good, event: "unheard-of" },
      { ...good, payload: { text: "x".repeat(40_000) } },
    ]) {
      await expect(realtime.publishBatch([good, bad])).rejects.toThrow()
    }
    expect([(await realtime.head(room("a"))).seq, calls.length]).toEqual([0, 0])
  })

  it("refuses what is too deep to be written, and takes what others publish in the same moment", async () => {
    const { publisher } = createRecorder("one")
    const realtime = createContractRealtime({ publishers: [publisher] })
    const deep = (levels: number) => JSON.parse(`${"[".repeat(levels)}${"]".repeat(levels)}`)
    const publish = (payload: unknown) => realtime.publish(room("a"), "anything", payload)
    const outcomes = await Promise.allSettled([
      publish("x"),
      publish(deep(10_000)),
      publish(deep(100)),
      publish(deep(101)),
    ])
    expect(
      outcomes.map((outcome) => (outcome.status === "rejected" ? outcome.reason.code : "accepted")),
    ).toEqual(["accepted", "invalid-payload", "accepted", "invalid-payload"])
  })

  it("answers a repeated id with the first receipt, and delivers it once", async () => {
    const { calls, publisher } = createRecorder("one")
    const realtime = createContractRealtime({ publishers: [publisher] })
    const id = crypto.randomUUID()
    const first = await realtime.publish(room("a"), "said", { text: "x" }, { id })
    expect(await realtime.publish(room("a"), "said", { text: "x" }, { id })).toEqual(first)
    expect(calls.length).toBe(1)
  })

  it("is content when a provider fails: the message is in the log, and the failure is told", async () => {
    const failing = createRecorder("failing", new Error("down"))
    const working = createRecorder("working")
    const told: string[] = []
    const realtime = createContractRealtime({
      publishers: [failing.publisher, working.publisher],
      onError: (_, { stage }) => told.push(stage),
    })
    expect((await realtime.publish(room("a"), "said", { text: "x" })).seq).toBe(1)
    expect([working.calls.length, told]).toEqual([1, ["publish to failing"]])
  })

  it("knows who is there from every provider together, each person once", async () => {
    const of = (provider: string, members: Member[] | null, count = members?.length ?? 0) => ({
      ...createRecorder(provider).publisher,
      members: async () => ({ count, members }),
    })
    const [ann, bob] = ["ann", "bob"].map((id): Member => ({ user: { id }, data: null }))
    const down = { ...createRecorder("down").publisher, members: () => Promise.reject(new Error("down")) }
    const both = [of("one", [ann as Member]), down, of("two", [ann as Member, bob as Member])]
    expect(await createContractRealtime({ publishers: both }).members(room("a"))).toEqual({
      count: 2,
      members: [ann, bob],
    })
    const full = [...both, of("three", null, 500)]
    expect(await createContractRealtime({ publishers: full }).members(room("a"))).toEqual({
      count: 502,
      members: null,
    })
    await expect(createContractRealtime({ publishers: [down] }).members(room("a"))).rejects.toThrow("down")
  })

  it("tells the browser of each provider, in order, and nothing secret", () => {
    const realtime = createContractRealtime({
      publishers: [createRecorder("one").publisher, createRecorder("two").publisher],
      log: createMemoryLog(),
    })
    expect(realtime.clientConfig()).toEqual({
      version: expect.stringMatching(/^[\w-]{12}$/),
      basePath: "/api/realtime",
      maxPayloadBytes: 32 * 1024,
      providers: [{ provider: "one" }, { provider: "two" }],
    })
  })
})

/** How often this process holds a file open. */
const timesOpen = (path: string) =>
  readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === path
    } catch {
      // That of reading the folder.
      return false
    }
  }).length

describe("what hot reload has evaluated again", () => {
  const user = { id: "alice" }
  const channelWith = (...events: string[]) =>
    defineChannel("room:{room}", {
      messages: Object.fromEntries(events.map((event) => [event, z.object({ text: z.string() })])),
    })
  const message = (event: string) => ({ id: uuidv7(), event, payload: { text: "x" } })

  it("counts from then on, by HTTP and at a gateway, over the log and the publishers that are there", async () => {
    const { calls, publisher } = createRecorder("one")
    const log = createMemoryLog()
    const realtime = createRealtime({
      channels: { room: channelWith("said") },
      identify: (): typeof user | null => null,
      authorize: ({ event }) => event === undefined || event === "said",
      log,
      publishers: [publisher],
    })
    const { core, handlers } = realtime
    const accept = (event: string) => core.accept(user, "room:1", [message(event)])
    const post = () =>
      handlers.POST(
        new Request("http://app.test/api/realtime/publish", {
          method: "POST",
          headers: { "Content-Type": "application/json" },
          body: JSON.stringify({ channel: "room:1", messages: [message("waved")] }),
        }),
      )
    await accept("said")
    expect(await accept("waved")).toMatchObject([{ error: { code: "event-unknown" } }])
    expect((await post()).status).toBe(401)

    realtime.redefine({ channels: { room: channelWith("said", "waved") } })
    expect(await accept("waved")).toMatchObject([{ error: { code: "channel-denied" } }])
    realtime.redefine({ authorize: () => true, identify: () => user })
    expect(await accept("waved")).toMatchObject([{ receipt: { seq: 2 } }])
    expect(await (await post()).json()).toMatchObject({ results: [{ receipt: { seq: 3 } }] })
    await realtime.publish(channelWith("waved")({ room: "1" }), "waved", { text: "by the server" })
    expect(calls.flat().map(({ event }) => event)).toEqual(["said", "waved", "waved", "waved"])
    await realtime.close()
  })

  describe("a module that calls `createRealtime`", () => {
    const folder = mkdtempSync(join(tmpdir(), "throughline-hot-reload-"))
    beforeEach(() => void vi.stubEnv("NODE_ENV", "development"))
    afterEach(() => void vi.unstubAllEnvs())
    afterAll(() => rmSync(folder, { recursive: true }))

    /** As in a module of its own, whose code is this by now. */
    const evaluate = (path: string, ...events: string[]) => evaluateWith({}, path, ...events)
    const evaluateWith = (
      options: { basePath?: string; maxPayloadBytes?: number; publishers?: RealtimePublisher[] },
      path: string,
      ...events: string[]
    ) =>
      createRealtime({
        channels: { room: channelWith(...events) },
        identify: () => user,
        authorize: () => true,
        log: createSqliteLog({ path: join(folder, path) }),
        publishers: [createRecorder("one").publisher],
        ...options,
      })

    it.skipIf(!existsSync("/proc/self/fd"))(
      "has one log, and what was begun with goes by what it says now",
      async () => {
        const first = evaluate("one.db", "said")
        const events = ["said"]
        for (let edit = 1; edit <= 5; edit += 1) {
          events.push(`event-${edit}`)
          const edited = evaluate("one.db", ...events)
          expect(await first.core.accept(user, "room:1", [message(`event-${edit}`)])).toMatchObject([
            { receipt: { seq: 2 * edit - 1 } },
          ])
          await edited.publish(channelWith("said")({ room: "1" }), "said", { text: "x" })
        }
        expect(timesOpen(join(folder, "one.db"))).toBe(1)
        await first.close()
        // What comes after its end begins anew.
        expect((await evaluate("one.db", "said").head(room("1"))).seq).toBe(10)
        await evaluate("one.db").close()
        expect(timesOpen(join(folder, "one.db"))).toBe(0)
      },
    )

    it("is the one that is there whatever else was changed, and another one under another path", async () => {
      const first = evaluate("one.db", "said")
      const config = first.clientConfig()
      const changed = { maxPayloadBytes: 10, publishers: [createRecorder("two").publisher] }
      expect(evaluateWith(changed, "one.db", "said")).toBe(first)
      expect(first.clientConfig()).toBe(config)
      const second = evaluateWith({ basePath: "/api/other" }, "one.db", "said")
      expect(second).not.toBe(first)
      await Promise.all([first.close(), second.close()])
    })

    it("is another one over another log, and in production each time", async () => {
      const first = evaluate("one.db", "said")
      expect(evaluate("one.db", "said")).toBe(first)
      const second = evaluate("two.db", "said")
      expect(second).not.toBe(first)
      vi.stubEnv("NODE_ENV", "production")
      expect(evaluate("one.db", "said")).not.toBe(first)
      await Promise.all([first.close(), second.close()])
    })
  })
})

it("refuses what the state can't keep, by name, and keeps the rest", async () => {
  const realtime = createContractRealtime({ publishers: [] })
  const state = realtime.state(room("state"))
  const quote = { bid: 1, ask: 2 }
  const refused: [Promise<unknown>, string][] = [
    [state.set("price" as "phase", "1"), "event-unknown"],
    [state.set("quote:a", { bid: "1" } as never), "invalid-payload"],
    [state.patch("quote:a", { ask: 2 }), "invalid-payload"],
    [state.set("anything", "x".repeat(40_000)), "message-too-large"],
    [state.set(`quote:${"x".repeat(200)}`, quote), "invalid-request"],
  ]
  for (const [write, code] of refused) await expect(write).rejects.toMatchObject({ code })
  // As many as the contract's server keeps.
  for (let n = 0; n < 10; n += 1) await state.set(`quote:${n}`, quote)
  await expect(state.set("quote:11", quote)).rejects.toMatchObject({
    ...{ code: "rate-limited", retryable: false, message: expect.stringContaining("quote:11") },
  })
  await state.set("quote:1", { bid: 2, ask: 3 })
  expect((await state.read(["quote:1"])).entries).toMatchObject([{ value: { bid: 2 } }])
  await realtime.close()
})
