import { expect, it } from "vitest"
import type { Signal } from "../message.ts"
import { createSignalInbox, signalLifeMs } from "./signal-inbox.ts"

const signal = (id: string, at: number): Signal => ({
  ...{ id, channel: "room:1", event: "typing", payload: true, from: { id: "alice" }, at },
})

it("shows a signal once, and not one that has outlived its worth by the server's clock", () => {
  let now: number | null = 100_000
  const isFresh = createSignalInbox(() => now)
  expect([signal("a", 100_000), signal("a", 100_000)].map(isFresh)).toEqual([true, false])
  expect(isFresh(signal("b", 100_000 - signalLifeMs))).toBe(true)
  expect(isFresh(signal("c", 100_000 - signalLifeMs - 1))).toBe(false)
  // A clock that runs ahead of ours makes nothing old.
  expect(isFresh(signal("d", 200_000))).toBe(true)
  now = null
  expect(isFresh(signal("e", 0))).toBe(true)
})

it("remembers a bounded number", () => {
  const isFresh = createSignalInbox(() => null)
  expect(isFresh(signal("first", 0))).toBe(true)
  for (let n = 0; n < 500; n += 1) isFresh(signal(String(n), 0))
  expect(isFresh(signal("first", 0))).toBe(true)
  expect(isFresh(signal("499", 0))).toBe(false)
})
