import { describe, expect, it } from "vitest"
import { RealtimeError, type RealtimeErrorCode } from "../errors.ts"
import type { PublishResult } from "../transport.ts"
import { isAccident, isTooLargeTogether, obstacleOf, resultAt, stateBehind } from "./outbox-answers.ts"
import { type Caller, newEntry } from "./outbox-entries.ts"

const error = (code: RealtimeErrorCode, retryable?: boolean) =>
  new RealtimeError(code, { message: code, retryable })
const accepted: PublishResult = { receipt: { id: "a", seq: 1, epoch: "e", at: 0 } }
const kept = newEntry("room:1", { id: "a", event: "said", payload: 1 })
const published = { ...kept, caller: {} as Caller }

describe("the result of a message", () => {
  it("is its own, or that of the request, or that there was none", () => {
    const failed = error("timeout")
    expect(resultAt([accepted], 0)).toBe(accepted)
    expect(resultAt(failed, 3)).toEqual({ error: failed })
    expect(resultAt([accepted], 1)).toMatchObject({ error: { code: "internal", retryable: true } })
  })
})

describe("a message", () => {
  it("leaves with a receipt", () => {
    expect(obstacleOf(kept, accepted)).toBeNull()
  })

  it.each([
    { code: "not-connected" as const, ofKept: "stays", ofPublished: "stays", shown: "queued" },
    { code: "log-unavailable" as const, ofKept: "stays", ofPublished: "stays", shown: "failed" },
    { code: "internal" as const, ofKept: "stays", ofPublished: "stays", shown: "failed" },
    { code: "session-changed" as const, ofKept: "stays", ofPublished: "leaves", shown: "queued" },
    { code: "page-outdated" as const, ofKept: "stays", ofPublished: "leaves", shown: "queued" },
    { code: "channel-denied" as const, ofKept: "leaves", ofPublished: "leaves", shown: "failed" },
  ])("$ofKept with $code, as $shown; published, it $ofPublished", ({ code, shown, ...outcome }) => {
    const failed = error(code)
    const outcomeOf = (entry: typeof kept) =>
      obstacleOf(entry, { error: failed }) === failed ? "stays" : "leaves"
    expect({ ofKept: outcomeOf(kept), ofPublished: outcomeOf(published) }).toEqual(outcome)
    expect(stateBehind(failed).state).toBe(shown)
  })
})

it("takes a request for too large where more than one message was in it", () => {
  const tooLarge = error("message-too-large")
  expect(isTooLargeTogether([kept, kept], tooLarge)).toBe(true)
  expect(isTooLargeTogether([kept], tooLarge)).toBe(false)
  expect(isTooLargeTogether([kept, kept], error("timeout"))).toBe(false)
  expect(isTooLargeTogether([kept, kept], [{ error: tooLarge }, { error: tooLarge }])).toBe(false)
})

it.each([
  ["a message that is kept", kept, error("internal"), [], true],
  ["one that somebody waits for", published, error("internal"), [], false],
  ["a whole request", kept, error("internal"), error("internal"), false],
  ["one, for a reason that it knows", kept, error("log-unavailable"), [], false],
  ["one, for good", kept, error("internal", false), [], false],
])("counts it where the server failed at %s", (_, entry, failed, answer, counts) => {
  expect(isAccident(entry, failed, answer)).toBe(counts)
})
