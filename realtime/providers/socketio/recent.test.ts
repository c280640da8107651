import { describe, expect, it } from "vitest"
import { jsonByteLength, type LogPage, markOf, type RealtimeMessage } from "../../message.ts"
import { maxPageBytes } from "../../packing.ts"
import fc from "../../testing/fast-check.ts"
import { createRecent } from "./recent.ts"

const message = (seq: number, epoch = "e"): RealtimeMessage => ({
  ...{ id: `m${seq}`, channel: "room:1", event: "said", payload: seq, from: null },
  ...{ seq, epoch, at: 0 },
})
const range = (from: number, to: number) =>
  Array.from({ length: Math.max(0, to - from) }, (_, index) => from + 1 + index)
const messages = (from: number, to: number) => range(from, to).map((seq) => message(seq))
const page = (seq: number, head: number, first = 1): LogPage => ({
  head: { epoch: "e", seq: head, first, mark: markOf(message(head)) },
  messages: messages(seq, head),
  ...(seq >= first && { mark: markOf(message(seq)) }),
})
const seqsOf = (answer: LogPage | null) => answer?.messages.map(({ seq }) => seq)

describe("what a gateway remembers of a channel", () => {
  it("answers, from wherever a reader stopped, with what the log said and what came since", () => {
    const recent = createRecent()
    expect(recent.after(3)).toBeNull()
    recent.learn(3, page(3, 6), performance.now())
    recent.take(messages(6, 8))
    expect(recent.after(3)).toEqual(page(3, 8))
    for (const seq of [4, 7, 8]) expect(recent.after(seq)?.mark).toBe(markOf(message(seq)))
    expect(seqsOf(recent.after(7))).toEqual([8])
    expect(seqsOf(recent.after(8))).toEqual([])
    expect(recent.place).toBe(8)
  })

  it("gives all who ask from one place the very same page, so that it is encoded once", () => {
    const recent = createRecent()
    const answer = page(3, 6)
    recent.learn(3, answer, performance.now())
    expect(recent.after(3)).toBe(answer)
    recent.take(messages(6, 7))
    expect(recent.after(3)).toEqual(page(3, 7))
    expect(recent.after(3)).toBe(recent.after(3))
  })

  it("delivers once what comes from the log and by itself, whichever is first", () => {
    const recent = createRecent()
    recent.take(messages(0, 2))
    expect(recent.takeFromLog([message(2)])).toEqual([])
    expect(recent.takeFromLog([message(5)])).toEqual([message(5)])
    expect(recent.place).toBe(5)
    // Two gateways may have published them.
    expect(recent.take([message(5)])).toEqual([])
    expect(recent.take(messages(2, 4))).toEqual(messages(2, 4))
    expect(recent.takeFromLog([message(5)])).toEqual([])
    expect(recent.take(messages(4, 6))).toEqual(messages(4, 6))
    expect(recent.take([message(5, "another log")])).toEqual([message(5, "another log")])
  })

  it("brings nothing from the log that was there before somebody joined", () => {
    const recent = createRecent()
    recent.startAt(page(3, 3).head)
    expect(recent.place).toBe(3)
    expect(recent.takeFromLog([message(3)])).toEqual([])
    expect(recent.takeFromLog([message(4)])).toEqual([message(4)])
    // Who joins later is no reason to leave out what the others haven't had.
    recent.startAt(page(3, 9).head)
    expect(recent.takeFromLog([message(9)])).toEqual([message(9)])
  })

  it("keeps few of those that never come by themselves", () => {
    const recent = createRecent()
    for (const seq of range(0, 200)) recent.takeFromLog([message(seq)])
    expect(recent.take(messages(0, 100))).toEqual(messages(0, 100))
    expect(recent.take(messages(100, 200))).toEqual([])
  })

  it.each([
    ["goes back further than it", 2],
    ["is ahead of it", 7],
  ])("leaves to the log whoever %s", (_, seq) => {
    const recent = createRecent()
    recent.learn(3, page(3, 6), performance.now())
    expect(recent.after(seq)).toBeNull()
  })

  it("asks the log again after a while", () => {
    let time = 0
    const recent = createRecent({ maxAgeMs: 100, now: () => time })
    recent.learn(0, page(0, 2), 50)
    time = 149
    expect(seqsOf(recent.after(0))).toEqual([1, 2])
    time = 150
    expect(recent.after(0)).toBeNull()
  })

  it.each([
    ["after a hole", message(5)],
    ["of another life of the log", message(3, "other")],
    ["without its body", { ...message(3), bodyless: true as const }],
  ])("knows nothing any more when a message came %s", (_, odd) => {
    const recent = createRecent()
    recent.learn(0, page(0, 2), performance.now())
    recent.take([odd])
    expect(recent.after(0)).toBeNull()
  })

  it.each([
    ["was cut off at its limit", 0, { head: { epoch: "e", seq: 9, first: 1 }, messages: messages(0, 5) }],
    ["begins after messages that are gone", 0, page(3, 6, 4)],
    ["is older than what was delivered meanwhile", 0, page(0, 3)],
  ])("doesn't learn from an answer that %s", (_, seq, answer) => {
    const recent = createRecent()
    recent.take(messages(3, 4))
    recent.learn(seq, answer, performance.now())
    expect(recent.after(seq)).toBeNull()
  })

  it("keeps no more than it may, and leaves the rest to the log", () => {
    const recent = createRecent({ maxMessages: 10 })
    recent.learn(0, page(0, 5), performance.now())
    recent.take(messages(5, 100))
    expect(recent.after(0)).toBeNull()
    expect(seqsOf(recent.after(90))).toEqual(range(90, 100))
    const kept = range(0, 100).filter((seq) => recent.after(seq - 1) !== null)
    expect(kept.length).toBeLessThanOrEqual(20)
  })

  it("forgets what stood before what it keeps, but not its mark", () => {
    const recent = createRecent({ maxMessages: 2 })
    recent.learn(0, page(0, 1), performance.now())
    recent.take(messages(1, 5))
    expect(recent.after(1)).toBeNull()
    expect(recent.after(2)).toEqual(page(2, 5))
  })

  it("answers with no more bytes than a page may have, and with one message at least", () => {
    const recent = createRecent()
    const large = (seq: number, bytes: number) => ({ ...message(seq), payload: "x".repeat(bytes) })
    recent.learn(0, page(0, 0), performance.now())
    recent.take([1, 2, 3, 4].map((seq) => large(seq, maxPageBytes / 3)))
    recent.take([large(5, 2 * maxPageBytes), large(6, 1)])
    expect(seqsOf(recent.after(0))).toEqual([1, 2])
    expect(recent.after(0)?.head.seq).toBe(6)
    expect(jsonByteLength(recent.after(0)?.messages)).toBeLessThan(maxPageBytes)
    expect(seqsOf(recent.after(4))).toEqual([5])
  })

  it("never leaves out what is in the log and wasn't delivered after the reader joined", () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant("append" as const), count: fc.integer({ min: 1, max: 5 }) }),
      fc.record({ kind: fc.constant("ask" as const), back: fc.nat(12) }),
      fc.record({ kind: fc.constant("answer" as const) }),
      fc.record({ kind: fc.constant("deliver" as const) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const recent = createRecent({ maxMessages: 8 })
        let logged = 0
        let delivered = 0
        const questions: { seq: number; answer: LogPage }[] = []
        for (const { kind, ...given } of steps) {
          if (kind === "append") logged += "count" in given ? given.count : 0
          if (kind === "deliver" && delivered < logged) {
            recent.take(messages(delivered, logged))
            delivered = logged
          }
          if (kind === "ask") {
            const seq = Math.max(0, logged - ("back" in given ? given.back : 0))
            const answer = recent.after(seq)
            // What isn't in the answer has to come live: it is delivered later than now.
            if (answer) {
              expect(seqsOf(answer)).toEqual(range(seq, answer.head.seq))
              expect(answer.head.seq).toBeGreaterThanOrEqual(delivered)
            } else questions.push({ seq, answer: page(seq, logged) })
          }
          const question = kind === "answer" ? questions.shift() : undefined
          if (question) recent.learn(question.seq, question.answer, performance.now())
        }
      }),
    )
  })
})
