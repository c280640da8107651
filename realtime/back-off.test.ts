import { afterEach, expect, test, vi } from "vitest"
import { backOffMs, randomBetween } from "./back-off.ts"
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
