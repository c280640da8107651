import { describe, expect, it } from "vitest"
import {
  type Cursor,
  type LogHead,
  type LogPage,
  markOf,
  type RealtimeMessage,
  type WireMessage,
} from "../message.ts"
import fc from "../testing/fast-check.ts"
import { createSequencer, type SequencerAction } from "./sequencer.ts"

const epoch = "epoch-1"

const message = (seq: number, life = epoch): RealtimeMessage => ({
  id: `${life}:${seq}`,
  channel: "room:1",
  seq,
  epoch: life,
  event: "said",
  payload: { seq },
  from: null,
  at: seq,
})
const bodyless = (seq: number): WireMessage => ({ ...message(seq), payload: undefined, bodyless: true })
const range = (from: number, to: number) =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i)
const head = (seq: number, first = 1, life = epoch): LogHead => ({ epoch: life, seq, first })
const page = (from: number, to: number, at: LogHead): LogPage => ({
  head: at,
  messages: range(from, to).map((seq) => message(seq, at.epoch)),
})
const delivered = (actions: SequencerAction[]) =>
  actions.flatMap((action) => (action.type === "deliver" ? action.messages.map(({ seq }) => seq) : []))
const kinds = (actions: SequencerAction[]) => actions.map(({ type }) => type)
const at = (seq: number): Cursor => ({ epoch, seq })
/** Where a message was handed out. */
const seen = (given: RealtimeMessage): Cursor => ({ epoch: given.epoch, seq: given.seq, mark: markOf(given) })

describe("a sequencer that starts at a cursor", () => {
  it("hands out what follows, in order, and drops what it has seen", () => {
    const sequencer = createSequencer({ cursor: at(3) })
    expect(delivered(sequencer.receive([message(3), message(4), message(5)]))).toEqual([4, 5])
    expect(sequencer.receive([message(4), message(5)])).toEqual([])
    expect(sequencer.cursor).toEqual(seen(message(5)))
    expect(sequencer.isCurrent).toBe(true)
  })

  it("holds back what comes early and, after a moment, asks for what is missing, once", () => {
    const sequencer = createSequencer({ cursor: at(0) })
    expect(sequencer.receive([message(3)])).toEqual([{ type: "wait" }])
    expect(sequencer.isCurrent).toBe(false)
    expect(sequencer.overdue()).toEqual([{ type: "fetch", after: at(0), isStalled: false }])
    expect(sequencer.receive([message(4)])).toEqual([])
    expect(sequencer.isCurrent).toBe(false)
    expect(delivered(sequencer.page(page(1, 2, head(4)), at(0)))).toEqual([1, 2, 3, 4])
    expect(sequencer.isCurrent).toBe(true)
  })

  it("needs no fetch when the missing one arrives late", () => {
    const sequencer = createSequencer({ cursor: at(0) })
    sequencer.receive([message(2)])
    expect(delivered(sequencer.receive([message(1)]))).toEqual([1, 2])
    expect(sequencer.isCurrent).toBe(true)
    expect(sequencer.overdue()).toEqual([])
  })

  it("takes the missing one as well when it arrives while the log is read", () => {
    const sequencer = createSequencer({ cursor: at(0) })
    sequencer.receive([message(2)])
    sequencer.overdue()
    expect(delivered(sequencer.receive([message(1)]))).toEqual([1, 2])
    expect(sequencer.page(page(1, 2, head(2)), at(0))).toEqual([])
  })

  it("asks for the body of a message that came without one", () => {
    const sequencer = createSequencer({ cursor: at(0) })
    expect(kinds(sequencer.receive([bodyless(1), message(2)]))).toEqual(["fetch"])
    expect(delivered(sequencer.page(page(1, 2, head(2)), at(0)))).toEqual([1, 2])
  })

  it("keeps a body that it has when the same message comes again without one", () => {
    const sequencer = createSequencer({ cursor: at(0) })
    sequencer.receive([message(2)])
    sequencer.receive([bodyless(2)])
    expect(delivered(sequencer.receive([message(1)]))).toEqual([1, 2])
  })

  it("reads page after page until it is current", () => {
    const sequencer = createSequencer({ cursor: at(0) })
    expect(kinds(sequencer.head(head(5), at(0)))).toEqual(["fetch"])
    const first = sequencer.page(page(1, 2, head(5)), at(0))
    expect(first.at(-1)).toEqual({ type: "fetch", after: seen(message(2)), isStalled: false })
    expect(delivered(sequencer.page(page(3, 5, head(5)), at(2)))).toEqual([3, 4, 5])
  })

  it("says what retention removed, and goes on behind it", () => {
    const sequencer = createSequencer({ cursor: at(2) })
    sequencer.resume()
    const actions = sequencer.page(page(6, 7, head(7, 6)), at(2))
    expect(actions[0]).toEqual({ type: "gap", from: 3, to: 5 })
    expect(delivered(actions)).toEqual([6, 7])
  })

  it("says that everything was removed when the log keeps nothing", () => {
    const sequencer = createSequencer({ cursor: at(2) })
    sequencer.resume()
    expect(sequencer.page(page(1, 0, head(9, 10)), at(2))).toEqual([{ type: "gap", from: 3, to: 9 }])
    expect(delivered(sequencer.receive([message(10)]))).toEqual([10])
  })

  it("starts over when the log was replaced", () => {
    const sequencer = createSequencer({ cursor: at(7) })
    expect(kinds(sequencer.receive([message(2, "epoch-2")]))).toEqual(["fetch"])
    const actions = sequencer.page(page(1, 2, head(2, 1, "epoch-2")), at(7))
    expect(actions[0]).toEqual({ type: "reset", previous: at(7), cursor: { epoch: "epoch-2", seq: 2 } })
    sequencer.page({ head: head(2, 1, "epoch-2"), messages: [] }, sequencer.cursor)
    expect(delivered(sequencer.receive([message(3, "epoch-2"), message(8)]))).toEqual([3])
  })

  it("starts over once, whatever else was asked for in the life before", () => {
    const [old, asked] = [seen(message(1)), seen(message(2))]
    const sequencer = createSequencer({ cursor: asked })
    sequencer.resume()
    const mark = markOf(message(1, "epoch-2"))
    const answer = { ...page(2, 3, head(3, 1, "epoch-2")), mark }
    expect(kinds(sequencer.resume(answer, old))).toEqual(["reset", "fetch"])
    expect(kinds(sequencer.page(answer, old))).not.toContain("reset")
    const mixed = { ...head(2, 1, "epoch-2"), mark: markOf(message(2, "epoch-2")) }
    expect(sequencer.head(mixed, asked)).toEqual([])
    expect(sequencer.cursor).toEqual({ epoch: "epoch-2", seq: 3 })
  })

  it("starts over when the log lost its end, and doesn't only lag behind what was delivered", () => {
    const sequencer = createSequencer({ cursor: at(6), maxStalls: 2 })
    sequencer.receive([message(7)])
    sequencer.resume()
    const lagging = page(1, 0, head(5))
    const again = { type: "fetch", after: seen(message(7)), isStalled: true }
    for (let times = 0; times < 2; times += 1) {
      expect(sequencer.page(lagging, seen(message(7)))).toEqual([again])
      expect(sequencer.isCurrent).toBe(false)
    }
    // What comes meanwhile is handed out, and what is asked is where it was asked first.
    expect(delivered(sequencer.receive([message(8)]))).toEqual([8])
    expect(sequencer.page(page(8, 8, head(8)), seen(message(7)))).toEqual([])
    expect(sequencer.isCurrent).toBe(true)

    sequencer.resume()
    const asked = seen(message(8))
    for (let times = 0; times < 2; times += 1) sequencer.page(lagging, asked)
    expect(kinds(sequencer.page(lagging, asked))).toEqual(["reset", "fetch"])
    expect(sequencer.cursor).toEqual(at(5))
    expect(sequencer.page({ head: head(5), messages: [] }, at(5))).toEqual([])
    expect(sequencer.isCurrent).toBe(true)
  })

  it("takes an answer that was asked for earlier for what it is", () => {
    const sequencer = createSequencer({ cursor: at(5) })
    sequencer.resume()
    sequencer.receive([message(6), message(7)])
    expect(sequencer.page({ head: head(5), messages: [] }, at(5))).toEqual([])
    expect(sequencer.cursor).toEqual(seen(message(7)))
  })

  it("does not wait for ever for what the log does not bring", () => {
    const sequencer = createSequencer({ cursor: at(0), maxStalls: 2 })
    sequencer.receive([message(3)])
    const answer = () => sequencer.page({ head: head(3), messages: [message(3)] }, at(0))
    expect(answer()).toEqual([{ type: "fetch", after: at(0), isStalled: true }])
    expect(answer()).toEqual([{ type: "fetch", after: at(0), isStalled: true }])
    const actions = answer()
    expect(actions[0]).toEqual({ type: "gap", from: 1, to: 2 })
    expect(delivered(actions)).toEqual([3])
  })

  it("looks again when it was told to while a look was under way: that one began too early", () => {
    const sequencer = createSequencer({ cursor: at(2) })
    expect(kinds(sequencer.resume())).toEqual(["fetch"])
    expect(sequencer.resume()).toEqual([])
    expect(sequencer.page({ head: head(2), messages: [] }, at(2))).toEqual([
      { type: "fetch", after: at(2), isStalled: false },
    ])
    expect(sequencer.isCurrent).toBe(false)
    expect(delivered(sequencer.page(page(3, 3, head(3)), at(2)))).toEqual([3])
    expect(sequencer.isCurrent).toBe(true)
  })

  it("hands out once what was published again after the log had forgotten it", () => {
    const sequencer = createSequencer({ cursor: at(0) })
    const again = { ...message(3), id: message(1).id }
    expect(delivered(sequencer.receive([message(1), message(2), again]))).toEqual([1, 2])
    expect(sequencer.cursor).toEqual(seen(again))
    expect(sequencer.receive([{ ...message(4), id: message(2).id }])).toEqual([])
    expect(delivered(sequencer.receive([message(5)]))).toEqual([5])
  })

  it("remembers the last ones only", () => {
    const sequencer = createSequencer({ cursor: at(0), maxRemembered: 2 })
    sequencer.receive(range(1, 4).map((seq) => message(seq)))
    const again = (seq: number, first: number) =>
      delivered(sequencer.receive([{ ...message(seq), id: message(first).id }]))
    expect(again(5, 3)).toEqual([])
    expect(again(6, 2)).toEqual([6])
    expect(again(7, 1)).toEqual([7])
  })

  it("starts over when another message stands where one was handed out, though the head says nothing", () => {
    const sequencer = createSequencer({ cursor: at(0) })
    sequencer.receive([message(1), message(2)])
    expect(sequencer.receive([message(2)])).toEqual([])
    expect(kinds(sequencer.receive([{ ...message(2), id: "another" }]))).toEqual(["fetch"])
    const actions = sequencer.page({ head: head(4), messages: [message(3), message(4)] }, at(2))
    expect(actions).toEqual([
      { type: "reset", previous: seen(message(2)), cursor: at(4) },
      { type: "fetch", after: at(4), isStalled: false },
    ])
    sequencer.page({ head: head(4), messages: [] }, at(4))
    expect(delivered(sequencer.receive([{ ...message(5), id: "another" }]))).toEqual([5])
  })

  it("asks again after a failure when it is told to", () => {
    const sequencer = createSequencer({ cursor: at(0) })
    sequencer.receive([message(2)])
    expect(sequencer.retry()).toEqual([{ type: "fetch", after: at(0), isStalled: false }])
  })

  it("keeps room for early messages, however many have passed", () => {
    const sequencer = createSequencer({ cursor: at(0), maxWaiting: 3 })
    for (const seq of range(1, 10)) sequencer.receive([message(seq)])
    sequencer.receive([message(12)])
    expect(delivered(sequencer.receive([message(11)]))).toEqual([11, 12])
  })

  it("keeps a bounded number of early messages, and fetches those it let go", () => {
    const sequencer = createSequencer({ cursor: at(0), maxWaiting: 3 })
    for (const seq of range(2, 20)) sequencer.receive([message(seq)])
    const actions = sequencer.page(page(1, 2, head(20)), at(0))
    expect(delivered(actions)).toEqual([1, 2, 3, 4])
    expect(actions.at(-1)).toEqual({ type: "fetch", after: seen(message(4)), isStalled: false })
  })
})

describe("a sequencer whose log was put back to an earlier state and went on", () => {
  const again = (seq: number): RealtimeMessage => ({ ...message(seq), id: `again:${seq}` })
  /**
   * What the log answers after a place where another message stands: all that follows it is of another life.
   */
  const mark = markOf(again(4))
  /** Has seen four. */
  const reader = () => {
    const sequencer = createSequencer({ cursor: at(0) })
    sequencer.receive(range(1, 4).map((seq) => message(seq)))
    return sequencer
  }

  it("starts over, though its head is ahead of what was seen", () => {
    const sequencer = reader()
    sequencer.resume()
    const answer = { head: { ...head(7), mark: markOf(again(7)) }, messages: range(5, 7).map(again), mark }
    const actions = sequencer.page(answer, sequencer.cursor)
    expect(actions).toEqual([
      { type: "reset", previous: seen(message(4)), cursor: seen(again(7)) },
      { type: "fetch", after: seen(again(7)), isStalled: false },
    ])
  })

  it("starts over where a place that was given from outside is another's", () => {
    const sequencer = createSequencer({ cursor: seen(message(4)) })
    sequencer.resume()
    expect(kinds(sequencer.page({ head: head(7), messages: [again(5)], mark }, seen(message(4))))[0]).toBe(
      "reset",
    )
  })

  it("starts over where the same message stands at its place, accepted anew", () => {
    const sequencer = reader()
    sequencer.resume()
    const retried = { ...message(4), at: 400 }
    const answer = { head: head(4), messages: [], mark: markOf(retried) }
    expect(kinds(sequencer.page(answer, sequencer.cursor))).toEqual(["reset", "fetch"])
    expect(kinds(reader().receive([retried]))).toEqual(["fetch"])
  })

  it("looks where a head that ends at the same place ends with another message", () => {
    const sequencer = reader()
    expect(sequencer.head({ ...head(4), mark: markOf(message(4)) }, sequencer.cursor)).toEqual([])
    expect(kinds(sequencer.head({ ...head(4), mark }, sequencer.cursor))).toEqual(["fetch"])
  })

  it("isn't misled by what came live before the log could be asked", () => {
    const sequencer = reader()
    const place = sequencer.cursor
    sequencer.resume()
    expect(delivered(sequencer.receive([again(5)]))).toEqual([5])
    // The first look failed, so another one follows: from where the doubt began.
    expect(sequencer.retry()).toEqual([{ type: "fetch", after: place, isStalled: false }])
    expect(kinds(sequencer.page({ head: head(5), messages: [again(5)], mark }, place))[0]).toBe("reset")
  })

  it("looks again from where it was told to, whatever came meanwhile", () => {
    const sequencer = reader()
    const place = sequencer.cursor
    sequencer.resume()
    sequencer.resume()
    sequencer.receive([again(5)])
    const early = { head: head(4), messages: [] }
    expect(sequencer.page(early, place)).toEqual([{ type: "fetch", after: place, isStalled: false }])
  })

  it("starts over where a page brings others than were handed out at their places", () => {
    const sequencer = reader()
    sequencer.resume()
    expect(kinds(sequencer.page({ head: head(4), messages: [again(3), again(4)] }, at(2)))[0]).toBe("reset")
  })

  it("compares nothing where the log doesn't keep what stood there", () => {
    const sequencer = reader()
    sequencer.resume()
    expect(delivered(sequencer.page(page(5, 5, head(5, 5)), sequencer.cursor))).toEqual([5])
  })
})

describe("a sequencer that is shown the log's head", () => {
  it("asks for nothing where there is nothing new, and for what follows where there is", () => {
    const sequencer = createSequencer({ cursor: at(3) })
    expect(sequencer.head(head(3), at(3))).toEqual([])
    expect(sequencer.isCurrent).toBe(true)
    expect(sequencer.head(head(4), at(3))).toEqual([{ type: "fetch", after: at(3), isStalled: false }])
    expect(sequencer.isCurrent).toBe(false)
  })

  it.each([
    ["of another log", head(3, 1, "epoch-2")],
    ["of one that lost its end", head(2)],
  ])("%s looks closer, and believes the page", (_, contradiction) => {
    const sequencer = createSequencer({ cursor: at(3), maxStalls: 0 })
    expect(kinds(sequencer.head(contradiction, at(3)))).toEqual(["fetch"])
    expect(kinds(sequencer.page({ head: contradiction, messages: [] }, at(3)))).toEqual(["reset", "fetch"])
  })

  it("isn't alarmed by one that was asked for before it moved on", () => {
    const sequencer = createSequencer({ cursor: at(3) })
    sequencer.receive([message(4)])
    expect(sequencer.head(head(3), at(3))).toEqual([])
    expect(sequencer.head(head(3), null)).toEqual([])
  })

  it("isn't alarmed by one that was asked for in an earlier life of the log", () => {
    const sequencer = createSequencer({ cursor: at(7) })
    const replaced = head(2, 1, "epoch-2")
    sequencer.resume()
    sequencer.page({ head: replaced, messages: [] }, at(7))
    sequencer.page({ head: replaced, messages: [] }, sequencer.cursor)
    expect(sequencer.head(replaced, at(7))).toEqual([])
  })

  it("looks again for a contradiction that a read under way began too early to see", () => {
    const sequencer = createSequencer({ cursor: at(3) })
    sequencer.resume()
    expect(sequencer.head(head(1, 1, "epoch-2"), at(3))).toEqual([])
    expect(kinds(sequencer.page({ head: head(3), messages: [] }, at(3)))).toEqual(["fetch"])
    sequencer.page({ head: head(3), messages: [] }, at(3))
    sequencer.resume()
    expect(sequencer.receive([message(1, "epoch-2")])).toEqual([])
    expect(kinds(sequencer.page({ head: head(3), messages: [] }, at(3)))).toEqual(["fetch"])
    const actions = sequencer.page(page(1, 1, head(1, 1, "epoch-2")), at(3))
    expect(actions[0]).toEqual({ type: "reset", previous: at(3), cursor: { epoch: "epoch-2", seq: 1 } })
  })

  it("looks for its place when it has none yet", () => {
    const sequencer = createSequencer()
    expect(sequencer.head(head(3), null)).toEqual([{ type: "fetch", after: null, isStalled: false }])
  })
})

describe("a sequencer whose log doesn't bring what is known to exist", () => {
  /** The log answers as it did, again and again, until it is believed. */
  function insist(sequencer: ReturnType<typeof createSequencer>, answer: LogPage) {
    for (let times = 0; ; times += 1) {
      const actions = sequencer.page(answer, sequencer.cursor)
      if (actions.some(({ type }) => type !== "fetch")) return { times, actions }
      expect(actions).toEqual([{ type: "fetch", after: sequencer.cursor, isStalled: true }])
    }
  }

  it("says the hole, and goes on with what waits behind it", () => {
    const sequencer = createSequencer({ cursor: at(0), maxStalls: 2 })
    sequencer.receive([message(3), message(4)])
    const { times, actions } = insist(sequencer, { head: head(4), messages: [] })
    expect(times).toBe(2)
    expect(actions[0]).toEqual({ type: "gap", from: 1, to: 2 })
    expect(delivered(actions)).toEqual([3, 4])
    expect(sequencer.isCurrent).toBe(true)
  })

  it("goes on behind the head where nothing with a body waits", () => {
    const sequencer = createSequencer({ cursor: at(0), maxStalls: 2 })
    sequencer.receive([bodyless(1), bodyless(2)])
    const { actions } = insist(sequencer, { head: head(2), messages: [] })
    expect(actions).toEqual([{ type: "gap", from: 1, to: 2 }])
    expect(sequencer.cursor).toEqual(at(2))
  })

  it("gives up one body, and delivers what follows it", () => {
    const sequencer = createSequencer({ cursor: at(0), maxStalls: 2 })
    sequencer.receive([bodyless(1), message(2)])
    const { actions } = insist(sequencer, { head: head(2), messages: [] })
    expect(actions[0]).toEqual({ type: "gap", from: 1, to: 1 })
    expect(delivered(actions)).toEqual([2])
  })

  it("starts over where the log's head stays behind what was seen", () => {
    const sequencer = createSequencer({ cursor: at(0), maxStalls: 2 })
    sequencer.receive([message(5)])
    const { actions } = insist(sequencer, { head: head(0), messages: [] })
    expect(kinds(actions)).toEqual(["reset", "fetch"])
    expect(sequencer.cursor).toEqual(at(0))
  })

  it.each([3, 5])(
    "says each hole from where it stands, though %i waited where retention has passed",
    (early) => {
      const sequencer = createSequencer({ cursor: at(0), maxStalls: 2 })
      sequencer.receive([message(early)])
      const answer = { head: head(7, 6), messages: [] }
      expect(sequencer.page(answer, at(0))[0]).toEqual({ type: "gap", from: 1, to: 5 })
      const { actions } = insist(sequencer, answer)
      expect(actions).toEqual([{ type: "gap", from: 6, to: 7 }])
    },
  )

  it("takes nothing of a page that is another log's, or that it has", () => {
    const sequencer = createSequencer({ cursor: at(3) })
    sequencer.resume()
    const mixed = { head: head(4), messages: [message(3), message(4, "epoch-2"), message(4)] }
    expect(delivered(sequencer.page(mixed, at(3)))).toEqual([4])
    expect(sequencer.cursor).toEqual(seen(message(4)))
  })
})

describe("a sequencer without a cursor", () => {
  it("starts behind the head, and keeps what arrives before it knows it", () => {
    const sequencer = createSequencer()
    expect(sequencer.resume()).toEqual([{ type: "fetch", after: null, isStalled: false }])
    expect(sequencer.receive([message(5), message(6)])).toEqual([])
    expect(delivered(sequencer.page({ head: head(5), messages: [] }, null))).toEqual([6])
  })

  it("isn't behind what waited of another log, and looks which of the two is the later one", () => {
    const sequencer = createSequencer()
    expect(sequencer.receive([])).toEqual([])
    sequencer.resume()
    sequencer.receive([message(100)])
    const place = { epoch: "epoch-2", seq: 5 }
    const later = { head: head(5, 1, "epoch-2"), messages: [] }
    expect(sequencer.page(later, null)).toEqual([{ type: "fetch", after: place, isStalled: false }])
    expect(sequencer.page(later, place)).toEqual([])
    expect(sequencer.isCurrent).toBe(true)
    expect(delivered(sequencer.receive([message(6, "epoch-2")]))).toEqual([6])
  })

  it("starts over when what waited was of the later life", () => {
    const sequencer = createSequencer()
    sequencer.resume()
    sequencer.receive([message(1, "epoch-2")])
    expect(kinds(sequencer.page({ head: head(5), messages: [] }, null))).toEqual(["fetch"])
    const actions = sequencer.page({ head: head(1, 1, "epoch-2"), messages: [] }, at(5))
    expect(actions[0]).toMatchObject({ type: "reset", cursor: { epoch: "epoch-2", seq: 1 } })
  })

  it("starts at 1 in an empty channel", () => {
    const sequencer = createSequencer()
    sequencer.resume()
    sequencer.page({ head: head(0), messages: [] }, null)
    expect(delivered(sequencer.receive([message(1)]))).toEqual([1])
  })
})

/**
 * A log, and a provider that loses, repeats, reorders and strips messages: whatever happens, what
 * is handed out is the log's own order from the cursor on, once, without a hole; and when the
 * provider falls silent, all of it.
 */
describe("whatever the provider does", () => {
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.record({ type: fc.constant("publish" as const) }) },
    {
      weight: 5,
      arbitrary: fc.record({ type: fc.constant("deliver" as const), pick: fc.nat(), strip: fc.boolean() }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ type: fc.constant("answer" as const), limit: fc.integer({ min: 1, max: 4 }) }),
    },
    { weight: 1, arbitrary: fc.record({ type: fc.constant("fail" as const) }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant("reconnect" as const) }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant("look" as const) }) },
    {
      weight: 1,
      arbitrary: fc.record({ type: fc.constant("trim" as const), keep: fc.integer({ min: 0, max: 5 }) }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ type: fc.constant("replace" as const), length: fc.nat({ max: 4 }) }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        ...{ type: fc.constant("restore" as const) },
        ...{ lost: fc.nat({ max: 4 }), length: fc.nat({ max: 6 }) },
      }),
    },
    { weight: 2, arbitrary: fc.record({ type: fc.constant("late" as const) }) },
  )

  const placeOf = ({ epoch, seq }: Cursor): Cursor => ({ epoch, seq })

  it("each message is handed out once, in order, and every hole is said", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), fc.option(fc.nat({ max: 3 })), (steps, start) => {
        let life = 1
        /** Grows with each write, so that no two of the log's messages have the same mark. */
        let writes = 0
        const write = (seq: number) => {
          writes += 1
          return { ...message(seq, `life-${life}`), id: `${writes}`, at: writes, payload: { seq, writes } }
        }
        let log = range(1, 3).map(write)
        let first = 1
        let wire: WireMessage[] = [...log]
        const markAt = (seq: number) => {
          const kept = seq >= first ? log[seq - 1] : undefined
          return kept ? { mark: markOf(kept) } : {}
        }
        const headNow = (): LogHead => ({
          ...{ epoch: `life-${life}`, seq: log.length, first },
          ...markAt(log.length),
        })
        /** What the application shows of the log's present life, by place. */
        const shown = new Map<number, RealtimeMessage>()
        const sequencer = createSequencer({
          cursor: start === null ? null : { epoch: "life-1", seq: start },
          maxWaiting: 4,
        })
        /** What the application was told, and so where it stands. */
        let position: Cursor | null = start === null ? null : { epoch: "life-1", seq: start }
        let wanted: { after: Cursor | null } | null = null

        function perform(actions: SequencerAction[]): void {
          for (const action of actions) {
            if (action.type === "fetch") {
              expect(wanted).toBeNull()
              wanted = { after: action.after }
            } else if (action.type === "deliver") {
              for (const next of action.messages) {
                if (position)
                  expect({ epoch: next.epoch, seq: next.seq }).toEqual({ ...position, seq: position.seq + 1 })
                shown.set(next.seq, next)
                position = { epoch: next.epoch, seq: next.seq }
              }
            } else if (action.type === "gap") {
              expect(action.from).toBe((position as Cursor).seq + 1)
              position = { ...(position as Cursor), seq: action.to }
            } else if (action.type === "reset") {
              expect(action.previous).toMatchObject(position as Cursor)
              shown.clear()
              position = { epoch: action.cursor.epoch, seq: action.cursor.seq }
            }
          }
        }

        function answer(limit: number): void {
          if (!wanted) return
          const { after } = wanted
          wanted = null
          const messages = log
            .filter(({ seq }) => seq >= first && seq > (after?.seq ?? log.length))
            .slice(0, limit)
          const mark = after ? markAt(after.seq) : {}
          perform(sequencer.page({ head: headNow(), messages, ...mark }, after))
          if (after === null) position ??= placeOf(sequencer.cursor as Cursor)
        }

        for (const action of steps) {
          if (action.type === "publish") {
            const next = write(log.length + 1)
            log.push(next)
            wire.push(next)
          } else if (action.type === "deliver" && wire.length > 0) {
            const picked = wire[action.pick % wire.length] as WireMessage
            perform(
              sequencer.receive([action.strip ? { ...picked, payload: undefined, bodyless: true } : picked]),
            )
          } else if (action.type === "answer") answer(action.limit)
          else if (action.type === "fail" && wanted) {
            wanted = null
            perform(sequencer.retry())
          } else if (action.type === "reconnect") perform(sequencer.resume())
          else if (action.type === "look") perform(sequencer.head(headNow(), sequencer.cursor))
          else if (action.type === "trim") first = Math.max(first, log.length - action.keep + 1)
          else if (action.type === "replace") {
            life += 1
            log = range(1, action.length).map(write)
            wire = [...wire.slice(-3), ...log]
            first = 1
          } else if (action.type === "restore") {
            // Nothing tells but what stands where: the same life, another end of it. Its server began anew,
            // so no answer and no delivery is under way, and the client was interrupted.
            const kept = Math.max(first - 1, log.length - action.lost)
            log = [...log.slice(0, kept), ...range(kept + 1, kept + action.length).map(write)]
            wire = [...log]
            wanted = null
            perform(sequencer.retry())
            perform(sequencer.resume())
          } else if (action.type === "late") perform(sequencer.overdue())
        }

        // The provider is silent from here on; the client looks at the log until it has nothing left to ask.
        perform(sequencer.resume())
        for (let round = 0; wanted && round < 200; round += 1) answer(3)
        expect(wanted).toBeNull()
        expect(sequencer.isCurrent).toBe(true)
        expect(sequencer.cursor).toMatchObject({ epoch: `life-${life}`, seq: log.length })
        expect(position).toEqual(placeOf(sequencer.cursor as Cursor))
        for (const [seq, message] of shown) if (seq >= first) expect(message).toEqual(log[seq - 1])
      }),
      { numRuns: 3000 },
    )
  })
})
