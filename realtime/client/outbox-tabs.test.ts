import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { RealtimeError, type RealtimeErrorCode } from "../errors.ts"
import type { OutgoingMessage, PublishResult } from "../transport.ts"
import { createOutbox, type OutboxOptions } from "./outbox.ts"
import type { OutboxNote } from "./outbox-bus.ts"
import { createMemoryStore, type StoredMessage } from "./outbox-store.ts"

const room = "room:1"

/** What the server answers to one request: by the message's id, or nothing but a failure. */
type Answer = (ids: string[]) => PublishResult[]

const accept: Answer = (ids) => ids.map((id, n) => ({ receipt: { id, seq: n + 1, epoch: "e", at: 0 } }))
const error = (code: RealtimeErrorCode, retryAfterMs?: number) =>
  new RealtimeError(code, { message: code, ...(retryAfterMs !== undefined && { retryAfterMs }) })
const refuse =
  (code: RealtimeErrorCode, retryAfterMs?: number): Answer =>
  (ids) =>
    ids.map(() => ({ error: error(code, retryAfterMs) }))
const failWith =
  (cause: unknown): Answer =>
  () => {
    throw cause
  }

/** An outbox whose store, other tabs and server do what the test says, without a clock of their own. */
function open(
  kept: readonly StoredMessage[] = [],
  {
    isOpen = true,
    exclusively = (_, task) => task(),
  }: { isOpen?: boolean; exclusively?: OutboxOptions["exclusively"] } = {},
) {
  const store = createMemoryStore()
  const posted: OutboxNote[] = []
  const closed: string[] = []
  const failures: string[] = []
  const requests: string[] = []
  const broken = new Set<string>()
  const used: string[] = []
  let hear: (note: OutboxNote) => void = () => {}
  let answer: Answer = accept
  let stored = [...kept]
  const use = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    used.push(what)
    if (broken.has(what)) throw new DOMException(what, "QuotaExceededError")
    return work()
  }
  const outbox = createOutbox({
    store: {
      add: (message) =>
        use("add", async () => {
          const position = await store.add(message)
          stored.push({ ...message, position })
          return position
        }),
      load: () => use("load", async () => [...stored]),
      refuse: (id, refusal) =>
        use("refuse", async () => {
          stored = stored.map((message) =>
            message.id === id ? ({ ...message, refusal } as StoredMessage) : message,
          )
        }),
      remove: (id) =>
        use("remove", async () => {
          stored = stored.filter((message) => message.id !== id)
        }),
      close: () => void closed.push("store"),
    },
    bus: {
      post: (note) => void posted.push(note),
      listen(listener) {
        hear = listener
      },
      close: () => void closed.push("bus"),
    },
    exclusively,
    async deliver(channel: string, messages: readonly OutgoingMessage[]) {
      requests.push(`${channel} ${messages.map(({ id }) => id)}`)
      return answer(messages.map(({ id }) => id))
    },
    onError: (_, { stage }) => void failures.push(stage),
  })
  if (isOpen) outbox.open()
  return {
    ...{ outbox, posted, closed, failures, requests, broken },
    /** How often the store was read. */
    loads: () => used.filter((what) => what === "load").length,
    stored: () => stored.map(({ id, refusal }) => (refusal ? `${id} ${refusal.code}` : id)),
    hear: (note: OutboxNote) => hear(note),
    answer(next: Answer) {
      answer = next
    },
    /** Another tab took it out of the store, or put it in. */
    keep(messages: readonly StoredMessage[]) {
      stored = [...messages]
    },
    say: (id: string, channel = room) => outbox.add(channel, { id, event: "said", payload: { text: id } }),
    states: (channel = room) => outbox.messages(channel).map(({ id, state }) => `${id} ${state}`),
    errorOf: (id: string) => outbox.messages(room).find((message) => message.id === id)?.error,
  }
}

const kept = (id: string, position: number, more: Partial<StoredMessage> = {}): StoredMessage => ({
  ...{ id, channel: room, event: "said", payload: { text: id }, at: 1, position },
  ...more,
})

/**
 * Everything that doesn't wait for a timer: here it waits for promises alone, and they are all done before
 * this.
 */
const settle = () => new Promise((resolve) => setImmediate(resolve))

/** So much time, in which all that waits for it happens. */
async function pass(seconds: number): Promise<void> {
  for (let half = 0; half < 2 * seconds; half += 1) {
    vi.advanceTimersByTime(500)
    await settle()
  }
}

/** The server fails at these, and so writes nothing that stands behind one of them. */
const failAt =
  (...bad: string[]): Answer =>
  (ids) => {
    const first = ids.findIndex((id) => bad.includes(id))
    const taken = first < 0 ? ids : ids.slice(0, first)
    return [...accept(taken), ...refuse("internal")(ids.slice(taken.length))]
  }

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] })
  vi.spyOn(Math, "random").mockReturnValue(0.5)
})
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

describe("an outbox and the page", () => {
  it("keeps the channels apart, and calls those who look at one of them", async () => {
    const page = open()
    page.answer(refuse("not-connected", 1_000))
    const calls: string[] = []
    page.outbox.subscribe(room, () => void calls.push("room"))
    const stop = page.outbox.subscribe("other", () => void calls.push("other"))
    page.say("a")
    page.say("b", "other")
    expect([page.states(), page.states("other")]).toEqual([["a queued"], ["b queued"]])
    await settle()
    calls.length = 0
    stop()
    page.say("c")
    page.say("d", "other")
    expect(calls).toEqual(["room"])
  })

  it("still calls the one who looks when another has stopped", () => {
    const page = open()
    const calls: string[] = []
    const stop = page.outbox.subscribe(room, () => void calls.push("one"))
    page.outbox.subscribe(room, () => void calls.push("two"))
    stop()
    page.say("a")
    expect(calls).toEqual(["two"])
  })

  it("gives the same list until something changes", async () => {
    const page = open()
    page.answer(refuse("not-connected", 1_000))
    page.say("a")
    await settle()
    const list = page.outbox.messages(room)
    expect(page.outbox.messages(room)).toBe(list)
    page.say("b")
    expect(page.outbox.messages(room)).not.toBe(list)
  })

  it("shows what is sent until it arrives, and only where somebody looks", async () => {
    const page = open()
    const stop = page.outbox.subscribe(room, () => {})
    page.say("a")
    await settle()
    expect(page.states()).toEqual(["a sent"])
    expect(page.outbox.messages(room)[0]?.place).toEqual({ epoch: "e", seq: 1 })
    page.outbox.arrived(room, new Set(["b"]))
    expect(page.states()).toEqual(["a sent"])
    page.outbox.arrived(room, new Set(["a"]))
    expect(page.states()).toEqual([])
    // Nothing is left that could be thrown away.
    page.outbox.discard("a")
    expect(page.posted.map(({ kind }) => kind)).toEqual(["stored", "sent"])
    stop()
    page.say("b")
    await settle()
    expect(page.states()).toEqual([])
  })

  it("no longer shows what arrived before its answer, and then forgets it", async () => {
    const page = open()
    page.outbox.subscribe(room, () => {})
    page.answer((ids) => {
      page.outbox.arrived(room, new Set(ids))
      expect(page.states()).toEqual([])
      return accept(ids)
    })
    page.say("a")
    await settle()
    expect([page.states(), page.stored(), page.requests]).toEqual([[], [], [`${room} a`]])
  })

  it("asks again for what arrived without an answer, and then forgets it", async () => {
    const page = open()
    page.answer(refuse("timeout", 60_000))
    page.say("a")
    await settle()
    page.outbox.arrived(room, new Set(["a"]))
    expect([page.states(), page.stored()]).toEqual([[], ["a"]])
    page.answer(accept)
    page.outbox.wake()
    await settle()
    expect([page.states(), page.stored(), page.requests.length]).toEqual([[], [], 2])
  })

  it("shows as refused, and keeps for itself, what is wrong from the start", async () => {
    const page = open()
    page.outbox.add(room, { id: "a", event: "said", payload: 1 }, error("invalid-payload"))
    await settle()
    expect(page.states()).toEqual(["a refused"])
    expect([page.stored(), page.posted, page.requests]).toEqual([[], [], []])
  })

  it("keeps for its writer what the server doesn't take from another, and asks again only when it is woken", async () => {
    const page = open()
    page.answer(failWith(error("session-changed")))
    page.say("a")
    await settle()
    expect([page.states(), page.stored(), page.requests.length]).toEqual([["a queued"], ["a"], 1])
    await vi.advanceTimersByTimeAsync(60_000)
    expect([page.states(), page.requests.length]).toEqual([["a queued"], 1])
    page.answer(accept)
    page.outbox.wake()
    await settle()
    expect([page.stored(), page.requests.length]).toEqual([[], 2])
  })

  it("sends fifty at a time, in order", async () => {
    const page = open()
    const ids = Array.from({ length: 120 }, (_, n) => `m${n}`)
    for (const id of ids) page.say(id)
    await settle()
    expect(page.requests[0]?.split(" ")[1]?.split(",").length).toBeLessThanOrEqual(50)
    expect(page.requests.map((request) => request.split(" ")[1]?.split(",").length)).toContain(50)
    expect(page.requests.flatMap((request) => request.split(" ")[1]?.split(","))).toEqual(ids)
  })

  it("reads the store once for all it sends", async () => {
    const page = open(Array.from({ length: 120 }, (_, n) => kept(`m${n}`, n + 1)))
    await settle()
    expect(page.requests).toHaveLength(3)
    // To open it, and before it sends.
    expect(page.loads()).toBe(2)
  })

  it("sends what was written while the other tabs were being let in", async () => {
    const given = Promise.withResolvers<void>()
    const page = open([], {
      async exclusively(_, task) {
        await task()
        await given.promise
      },
    })
    page.say("a")
    await settle()
    page.say("b")
    await settle()
    expect(page.requests).toEqual([`${room} a`])
    given.resolve()
    await settle()
    expect(page.requests).toEqual([`${room} a`, `${room} b`])
  })

  it.each([
    { code: "not-connected" as const, shown: "a queued" },
    { code: "timeout" as const, shown: "a failed" },
  ])("shows $code as $shown, and tries again after a pause that grows", async ({ code, shown }) => {
    const page = open()
    page.answer(refuse(code))
    page.say("a")
    await settle()
    expect(page.states()).toEqual([shown])
    const pauses: number[] = []
    for (let attempt = 1; attempt <= 9; attempt += 1) {
      let waited = 0
      for (; page.requests.length === attempt; waited += 125) {
        vi.advanceTimersByTime(125)
        await settle()
      }
      pauses.push(waited)
    }
    // Three quarters of 0.5 s, 1 s, 2 s …, up to 30 s.
    expect(pauses.slice(0, 4)).toEqual([375, 750, 1_500, 3_000])
    expect(pauses.slice(-2)).toEqual([22_500, 22_500])
    page.answer(accept)
    page.outbox.wake()
    await settle()
    page.answer(refuse(code))
    page.say("b")
    await settle()
    const before = page.requests.length
    vi.advanceTimersByTime(375)
    await settle()
    expect(page.requests.length).toBe(before + 1)
  })

  it("refuses what the server fails at after half a minute of tries, to be tried again by hand", async () => {
    const page = open()
    page.answer(failAt("a"))
    page.say("a")
    await pass(22)
    expect([page.states(), page.requests.length]).toEqual([["a failed"], 6])
    await pass(3)
    expect([page.states(), page.requests.length]).toEqual([["a refused"], 7])
    expect([page.stored(), page.errorOf("a")?.code]).toEqual([["a internal"], "internal"])
    page.outbox.retry("a")
    await pass(22)
    expect(page.states()).toEqual(["a failed"])
    page.answer(accept)
    page.outbox.wake()
    await settle()
    expect([page.states(), page.stored()]).toEqual([[], []])
  })

  it("lets nothing pass what the server fails at before that is refused", async () => {
    const page = open()
    page.answer(failAt("bad"))
    for (const id of ["a", "bad", "b", "c"]) page.say(id)
    await pass(20)
    expect(page.states()).toEqual(["bad failed", "b failed", "c failed"])
    await pass(5)
    expect([page.states(), page.stored()]).toEqual([["bad refused"], ["bad internal"]])
    const waiting = Array.from({ length: 6 }, () => `${room} bad,b,c`)
    expect(page.requests.slice(-7)).toEqual([...waiting, `${room} b,c`])
  })

  it("counts each message's own failures, with pauses that begin anew", async () => {
    const page = open()
    page.answer(failAt("bad", "worse"))
    for (const id of ["bad", "worse", "a"]) page.say(id)
    await pass(25)
    expect(page.states()).toEqual(["bad refused", "worse failed", "a failed"])
    await pass(25)
    expect(page.states()).toEqual(["bad refused", "worse refused"])
  })

  it("counts no try without a connection, and none before somebody asked for it again, in whichever tab", async () => {
    const page = open()
    page.answer(failAt("a"))
    page.say("a")
    await pass(14)
    const tries = page.requests.length
    page.answer(refuse("not-connected", 1_000))
    await pass(60)
    expect([tries, page.states()]).toEqual([6, ["a queued"]])
    page.answer(failAt("a"))
    page.hear({ kind: "queued", id: "a" })
    for (let n = 1; n < 7; n += 1) {
      page.outbox.wake()
      await settle()
      expect(page.states()).toEqual(["a failed"])
    }
    page.outbox.wake()
    await settle()
    expect(page.states()).toEqual(["a refused"])
  })

  it("tries without end, and together, while the server fails at whole requests, and refuses nothing", async () => {
    const page = open()
    page.answer(failWith(error("internal")))
    for (const id of ["a", "b", "c"]) page.say(id)
    await pass(600)
    expect(page.states()).toEqual(["a failed", "b failed", "c failed"])
    page.answer(accept)
    await pass(30)
    expect([page.states(), page.stored()]).toEqual([[], []])
    for (const id of ["d", "e"]) page.say(id)
    await settle()
    expect(page.requests.at(-1)).toBe(`${room} d,e`)
  })

  it("waits as long as the server asks", async () => {
    const page = open()
    page.answer(refuse("rate-limited", 5_000))
    page.say("a")
    await settle()
    vi.advanceTimersByTime(4_999)
    await settle()
    expect(page.requests).toHaveLength(1)
    page.answer(accept)
    vi.advanceTimersByTime(1)
    await settle()
    expect([page.requests.length, page.stored()]).toEqual([2, []])
  })

  it("doesn't try a second time when `wake` came before the pause was over", async () => {
    const page = open()
    page.answer(refuse("not-connected", 5_000))
    page.say("a")
    await settle()
    page.answer(accept)
    page.outbox.wake()
    await settle()
    page.answer(refuse("not-connected", 60_000))
    page.say("b")
    await settle()
    vi.advanceTimersByTime(5_000)
    await settle()
    expect(page.requests).toEqual([`${room} a`, `${room} a`, `${room} b`])
  })

  it("doesn't try a second time when something was written before the pause was over", async () => {
    const page = open()
    page.answer(refuse("not-connected", 5_000))
    page.say("a")
    await settle()
    page.answer(refuse("not-connected", 60_000))
    page.say("b")
    await settle()
    vi.advanceTimersByTime(5_000)
    await settle()
    expect(page.requests).toEqual([`${room} a`, `${room} a,b`])
  })

  it("says in its own words that the client failed, when it did", async () => {
    const page = open()
    page.answer(failWith(new TypeError("a bug")))
    page.say("a")
    await settle()
    expect(page.errorOf("a")).toMatchObject({
      code: "internal",
      message: "[realtime] unable to publish; the client failed",
      cause: new TypeError("a bug"),
    })
  })

  it("tries what failed or was refused again at once, under its id, and nothing else", async () => {
    const page = open()
    page.answer(refuse("invalid-payload"))
    page.say("a")
    await settle()
    expect([page.states(), page.stored()]).toEqual([["a refused"], ["a invalid-payload"]])
    page.answer(refuse("timeout", 60_000))
    page.say("b")
    await settle()
    page.answer(accept)
    page.outbox.retry("nothing")
    page.outbox.retry("a")
    await settle()
    expect(page.requests).toEqual([`${room} a`, `${room} b`, `${room} a,b`])
    expect([page.states(), page.stored()]).toEqual([[], []])
    const before = page.posted.length
    page.outbox.retry("a")
    expect(page.posted).toHaveLength(before)
  })

  it("tries what failed again before its pause is over", async () => {
    const page = open()
    page.answer(refuse("timeout", 60_000))
    page.say("a")
    await settle()
    page.answer(accept)
    page.outbox.retry("a")
    await settle()
    expect([page.requests.length, page.stored()]).toEqual([2, []])
  })

  it("doesn't ask again for what is waiting or under way", async () => {
    const page = open()
    page.answer(refuse("not-connected", 60_000))
    page.say("a")
    await settle()
    const before = page.posted.length
    page.outbox.retry("a")
    await settle()
    expect([page.posted.length, page.requests.length]).toEqual([before, 1])
  })

  it("doesn't throw away what is under way, and throws away nothing twice", async () => {
    const page = open()
    page.answer((ids) => {
      page.outbox.discard("a")
      return refuse("timeout", 60_000)(ids)
    })
    page.say("a")
    await settle()
    expect(page.states()).toEqual(["a failed"])
    page.outbox.discard("nothing")
    expect(page.posted.filter(({ kind }) => kind === "removed")).toEqual([])
    page.outbox.discard("a")
    page.outbox.discard("a")
    await settle()
    expect([page.states(), page.stored()]).toEqual([[], []])
    expect(page.posted.filter(({ kind }) => kind === "removed")).toEqual([{ kind: "removed", id: "a" }])
  })

  it("goes on with what an earlier page left, the refused ones as they were, once", async () => {
    const refusal = { code: "channel-denied" as const, message: "no" }
    const page = open(
      [kept("b", 2), kept("a", 1), kept("c", 3, { refusal }), kept("x", 4, { channel: "other" })],
      {
        isOpen: false,
      },
    )
    expect(page.requests).toEqual([])
    page.outbox.open()
    page.outbox.open()
    expect(page.loads()).toBe(1)
    await settle()
    expect(page.requests).toEqual([`${room} a,b`, "other x"])
    expect(page.states()).toEqual(["c refused"])
    expect(page.errorOf("c")).toMatchObject({
      code: "channel-denied",
      message: "[realtime] no",
      retryable: false,
    })
  })

  it("tells once that the browser keeps nothing, again after it did, and where it failed", async () => {
    const page = open()
    await settle()
    for (const what of ["load", "add", "remove"]) page.broken.add(what)
    page.say("a")
    await settle()
    page.say("b")
    await settle()
    expect(page.requests).toEqual([`${room} a`, `${room} b`])
    expect(page.failures).toEqual(["write to the outbox"])
    page.broken.clear()
    page.say("c")
    await settle()
    page.broken.add("load")
    page.say("d")
    await settle()
    expect(page.failures).toEqual(["write to the outbox", "read the outbox"])
  })

  it("shows and sends what couldn't be stored behind what was", async () => {
    const page = open()
    page.answer(refuse("not-connected", 60_000))
    page.broken.add("add")
    page.say("a")
    await settle()
    const message = kept("b", 1)
    page.keep([message])
    page.hear({ kind: "stored", message })
    await settle()
    expect(page.states()).toEqual(["b queued", "a queued"])
    expect(page.requests).toEqual([`${room} a`, `${room} b,a`])
  })

  it("shows behind its own what another tab wrote later", async () => {
    const page = open()
    page.answer(refuse("not-connected", 60_000))
    page.say("a")
    await settle()
    page.hear({ kind: "stored", message: kept("b", 2) })
    expect(page.states()).toEqual(["a queued", "b queued"])
  })

  it("tells that it couldn't read when it was opened", async () => {
    const page = open([], { isOpen: false })
    page.broken.add("load")
    page.outbox.open()
    await settle()
    expect(page.failures).toEqual(["read the outbox"])
  })

  it.each([
    { doing: "forget what was sent", answer: accept, what: "remove" },
    { doing: "keep that one was refused", answer: refuse("channel-denied"), what: "refuse" },
  ])("tells that it couldn't $doing", async ({ answer, what }) => {
    const page = open()
    page.answer(answer)
    page.broken.add(what)
    page.say("a")
    await settle()
    expect(page.failures).toEqual(["write to the outbox"])
  })

  it.each([
    { doing: "forget what was thrown away", what: "remove", act: "discard" as const },
    { doing: "keep that one is tried again", what: "refuse", act: "retry" as const },
  ])("tells that it couldn't $doing", async ({ what, act }) => {
    const page = open()
    page.answer(refuse("channel-denied"))
    page.say("a")
    await settle()
    expect(page.failures).toEqual([])
    page.answer(accept)
    page.broken.add(what)
    page.outbox[act]("a")
    await settle()
    expect(page.failures).toEqual(["write to the outbox"])
  })

  it("ends with everything it holds, and does nothing any more", async () => {
    const page = open()
    page.answer(refuse("not-connected", 1_000))
    page.say("a")
    await settle()
    page.outbox.close()
    expect([page.closed, vi.getTimerCount()]).toEqual([["bus", "store"], 0])
    page.hear({ kind: "removed", id: "a" })
    page.outbox.wake()
    await settle()
    expect([page.states(), page.requests.length]).toEqual([["a queued"], 1])
  })

  it("plans no further attempt when it was closed during one", async () => {
    const page = open()
    page.answer((ids) => {
      page.outbox.close()
      return refuse("not-connected", 1_000)(ids)
    })
    page.say("a")
    await settle()
    expect([page.requests.length, vi.getTimerCount()]).toEqual([1, 0])
  })
})

describe("an outbox and the other tabs", () => {
  it("tells them what happens to each message", async () => {
    const page = open()
    page.say("a")
    await settle()
    page.answer(refuse("channel-denied"))
    page.say("b")
    await settle()
    page.answer(refuse("not-connected", 60_000))
    page.outbox.retry("b")
    await settle()
    page.outbox.discard("b")
    expect(page.posted).toEqual([
      {
        kind: "stored",
        message: expect.objectContaining({ id: "a", channel: room, position: expect.any(Number) }),
      },
      { kind: "sent", id: "a", place: { epoch: "e", seq: 1 } },
      { kind: "stored", message: expect.objectContaining({ id: "b" }) },
      { kind: "refused", id: "b", refusal: { code: "channel-denied", message: "[realtime] channel-denied" } },
      { kind: "queued", id: "b" },
      { kind: "removed", id: "b" },
    ])
  })

  it("shows what they tell", async () => {
    const page = open()
    page.outbox.subscribe(room, () => {})
    page.answer(refuse("not-connected", 60_000))
    const messages = ["a", "b", "c"].map((id, n) => kept(id, n + 1))
    page.keep(messages)
    for (const message of messages) page.hear({ kind: "stored", message })
    await settle()
    expect(page.states()).toEqual(["a queued", "b queued", "c queued"])
    page.hear({ kind: "sent", id: "a", place: { epoch: "e", seq: 9 } })
    page.hear({ kind: "refused", id: "b", refusal: { code: "channel-denied", message: "no" } })
    page.hear({ kind: "removed", id: "c" })
    expect(page.states()).toEqual(["a sent", "b refused"])
    expect(page.errorOf("b")).toMatchObject({
      code: "channel-denied",
      retryable: false,
      message: "[realtime] no",
    })
    page.hear({ kind: "queued", id: "b" })
    expect([page.states(), page.errorOf("b")]).toEqual([["a sent", "b queued"], undefined])
    page.hear({ kind: "queued", id: "unknown" })
    expect(page.states()).toEqual(["a sent", "b queued"])
  })

  it("sends what another tab stored, when that one doesn't", async () => {
    const page = open()
    const message = kept("a", 1)
    page.keep([message])
    page.hear({ kind: "stored", message })
    page.hear({ kind: "stored", message })
    await settle()
    expect(page.requests).toEqual([`${room} a`])
  })

  it("doesn't send what another tab has sent since, and sends what it doesn't know yet", async () => {
    const page = open([kept("a", 1)], { isOpen: false })
    page.answer(refuse("not-connected", 60_000))
    page.outbox.open()
    await settle()
    page.keep([kept("b", 2), kept("x", 3, { channel: "other" })])
    page.answer(accept)
    page.outbox.wake()
    await settle()
    expect(page.requests).toEqual([`${room} a`, `${room} b`])
    expect(page.states("other")).toEqual([])
  })

  it("doesn't send what it wrote itself and another tab has sent since", async () => {
    const page = open()
    page.answer(refuse("not-connected", 60_000))
    page.say("a")
    await settle()
    page.keep([])
    page.answer(accept)
    page.outbox.wake()
    await settle()
    expect([page.states(), page.requests]).toEqual([[], [`${room} a`]])
  })

  it("keeps showing as sent what the store has forgotten", async () => {
    const page = open()
    page.outbox.subscribe(room, () => {})
    page.say("a")
    await settle()
    page.say("b")
    await settle()
    expect(page.states()).toEqual(["a sent", "b sent"])
  })
})
