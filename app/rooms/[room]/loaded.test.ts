import { expect, it } from "vitest"
import { isOlder, isRead } from "./loaded.ts"

const loaded = (change: object = {}) => ({
  ...{ messages: [{ seq: 51 }, { seq: 100 }], hasOlder: true, gaps: [], wasReset: false },
  ...change,
})

it("a place before what is loaded is an older one only while there are such", () => {
  expect([50, 51, 101].map((seq) => isOlder(loaded(), seq))).toEqual([true, false, false])
  expect(isOlder(loaded({ hasOlder: false }), 50)).toBe(false)
})

it("a place counts as read once what is loaded has it, and not while the page has yet to catch up with it", () => {
  expect([50, 51, 100, 101].map((seq) => isRead(loaded(), 100, seq))).toEqual([false, true, true, false])
  expect(isRead(loaded({ hasOlder: false }), 100, 50)).toBe(true)
  // What stood there is gone: it came as a gap, or had gone when the page was made.
  expect(isRead(loaded({ gaps: [{ from: 101, to: 101 }] }), 100, 101)).toBe(true)
  expect([101, 102].map((seq) => isRead(loaded({ messages: [] }), 101, seq))).toEqual([true, false])
})

it("a log that was replaced says nothing of a place in the other", () => {
  expect(isRead(loaded({ wasReset: true }), 100, 101)).toBe(true)
})
