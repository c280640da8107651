import { expect, it } from "vitest"
import type { Signal } from "../message.ts"
import { createSignalAges, signalLifeMs } from "./signal-ages.ts"
import { createSignalInbox } from "./signal-inbox.ts"

const signal = (id: string, at: number, more: Partial<Signal> = {}): Signal => ({
  ...{ id, channel: "room:1", event: "typing", payload: true, from: { id: "alice" }, at },
  ...more,
})

const sentAs = (page: string, n: number, more: Partial<Signal> = {}) =>
  signal(`${page} ${n}`, 0, { origin: { page, n }, ...more })

const openInbox = () =>
  createSignalInbox({ page: "own", ages: createSignalAges({ serverNow: () => null, now: () => 0 }) })

it("shows a signal once, and not one that has outlived its worth", () => {
  const isFresh = openInbox()
  const clock = "a server"
  expect([signal("a", 100_000, { clock }), signal("a", 100_000, { clock })].map(isFresh)).toEqual([
    true,
    false,
  ])
  expect(isFresh(signal("b", 100_000 - signalLifeMs, { clock }))).toBe(true)
  expect(isFresh(signal("c", 100_000 - signalLifeMs - 1, { clock }))).toBe(false)
})

it("shows nothing that its own page sent, by whichever way it comes back", () => {
  const isFresh = openInbox()
  expect([sentAs("own", 1), sentAs("other", 1)].map(isFresh)).toEqual([false, true])
})

it("shows none after a newer one of its page and event, whatever its date says", () => {
  const isFresh = openInbox()
  const shown = [
    sentAs("a", 2),
    sentAs("a", 1, { at: 5_000 }),
    sentAs("a", 2),
    sentAs("b", 1),
    sentAs("a", 1, { event: "pointed" }),
    sentAs("a", 1, { from: { id: "mallory" } }),
    sentAs("a", 3),
  ].map(isFresh)
  expect(shown).toEqual([true, false, false, true, true, true, true])
})

it("lets nobody's large number silence another's page", () => {
  const isFresh = openInbox()
  expect(isFresh(sentAs("a", Number.MAX_SAFE_INTEGER, { from: { id: "mallory" } }))).toBe(true)
  expect(isFresh(sentAs("a", 1))).toBe(true)
})

it("remembers a bounded number", () => {
  const isFresh = openInbox()
  expect(isFresh(signal("first", 0))).toBe(true)
  for (let n = 0; n < 500; n += 1) isFresh(signal(String(n), 0))
  expect(isFresh(signal("first", 0))).toBe(true)
  expect(isFresh(signal("499", 0))).toBe(false)
})
