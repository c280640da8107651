import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import { backOffMs, keepTrying, randomBetween } from "./back-off.ts"
import { RealtimeError } from "./errors.ts"

const times = { firstMs: 100, maxMs: 1_000 }

afterEach(() => void vi.restoreAllMocks())

const withChance = (chance: number) => vi.spyOn(Math, "random").mockReturnValue(chance)

test.each([
  { failures: 1, shortest: 50, longest: 100 },
  { failures: 2, shortest: 100, longest: 200 },
  { failures: 4, shortest: 400, longest: 800 },
  { failures: 5, shortest: 500, longest: 1_000 },
  { failures: 5_000, shortest: 500, longest: 1_000 },
])("a pause after $failures failures takes $shortest to $longest ms", ({ failures, shortest, longest }) => {
  withChance(0)
  expect(backOffMs(times, failures)).toBe(shortest)
  withChance(1)
  expect(backOffMs(times, failures)).toBe(longest)
})

test("a pause is as long as the error asks, past the longest too, but no longer than a minute, and nobody's chance", () => {
  const error = new RealtimeError("rate-limited", { message: "unable to send", retryAfterMs: 5_000 })
  expect(backOffMs(times, 1, error)).toBe(5_000)
  const forever = new RealtimeError("rate-limited", { message: "unable to send", retryAfterMs: 3_600_000 })
  expect(backOffMs(times, 1, forever)).toBe(60_000)
  const atOnce = new RealtimeError("rate-limited", { message: "unable to send", retryAfterMs: 0 })
  expect(backOffMs(times, 3, atOnce)).toBe(0)
})

test.each([
  new RealtimeError("timeout", { message: "unable to send" }),
  new Error("fetch failed"),
  undefined,
])("a pause after %s is its own", (error) => {
  withChance(1)
  expect(backOffMs(times, 2, error)).toBe(200)
})

test("chance stays between its ends", () => {
  withChance(0.25)
  expect(randomBetween(1_000, 2_000)).toBe(1_250)
})

describe("keepTrying", () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())
  const away = new RealtimeError("provider-unavailable", { message: "away" })
  const refused = new RealtimeError("unauthorized", { message: "refused" })

  function failing(...failures: RealtimeError[]) {
    const told: RealtimeError[] = []
    const state = { told, isWanted: true }
    const attempt = async () => {
      const failure = failures.shift()
      if (failure) throw failure
      return "answer"
    }
    const trying = keepTrying(attempt, {
      backOff: { firstMs: 1, maxMs: 1 },
      isWanted: () => state.isWanted,
      onFailed: (error) => told.push(error),
    })
    return { state, outcome: trying.catch((error: unknown) => error) }
  }

  test("tries again what passes, and tells of it each time", async () => {
    const { state, outcome } = failing(away, away)
    await vi.runAllTimersAsync()
    expect([await outcome, state.told]).toEqual(["answer", [away, away]])
  })

  test("rejects at once with what doesn't pass", async () => {
    const { state, outcome } = failing(refused)
    expect([await outcome, state.told]).toEqual([refused, []])
  })

  test("gives up after a pause in which nobody waits any more", async () => {
    const { state, outcome } = failing(away, refused)
    state.isWanted = false
    await vi.runAllTimersAsync()
    expect(await outcome).toBe(away)
  })
})
