import { expect, it } from "vitest"
import { createRateLimit } from "./rate-limit.ts"

it("lets a second's worth pass at once, then one at a time as it refills", () => {
  let clock = 0
  const limit = createRateLimit(10, () => clock)
  expect(Array.from({ length: 12 }, () => limit.take())).toEqual([...Array(10).fill(0), 100, 100])
  clock = 99
  expect(limit.take()).toBe(1)
  clock = 100
  expect([limit.take(), limit.take()]).toEqual([0, 100])
  clock = 60_000
  expect(Array.from({ length: 11 }, () => limit.take())).toEqual([...Array(10).fill(0), 100])
})
