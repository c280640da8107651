import { afterEach, beforeEach, expect, it, vi } from "vitest"
import type { Signal } from "../../message.ts"
import { createHeldSignals } from "./held-signals.ts"

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const intervalMs = 100

const signal = (payload: unknown, more: Partial<Signal> = {}): Signal => ({
  ...{ id: "id", channel: "room:1", event: "typing", payload, from: { id: "alice" }, at: 0 },
  ...more,
})

const sentAs = (page: string, n: number, more: Partial<Signal> = {}) =>
  signal(`${page} ${n}`, { origin: { page, n }, ...more })

function stage() {
  const behind = new Set<string>()
  const gone = new Set<string>()
  const got: [connection: string, payload: unknown][] = []
  const held = createHeldSignals({
    isBehind: (id) => behind.has(id),
    isIn: (id, channel) => !gone.has(`${id} ${channel}`),
    emit: (ids, signals) =>
      got.push(...signals.flatMap(({ payload }) => ids.map((id): [string, unknown] => [id, payload]))),
    intervalMs,
  })
  return { behind, gone, got, held }
}

it("passes a signal on at once to whoever reads, and its sender's newest to whoever was behind", () => {
  const { behind, got, held } = stage()
  behind.add("slow")
  for (const n of [1, 2, 3]) held.send(["quick", "slow"], [sentAs("a", n)])
  held.send(["slow"], [sentAs("a", 1, { event: "pointed", payload: "elsewhere" })])
  held.send(["slow"], [sentAs("b", 1, { from: { id: "bob" } })])
  vi.advanceTimersByTime(5 * intervalMs)
  const toQuick = [1, 2, 3].map((n) => ["quick", `a ${n}`])
  expect(got).toEqual(toQuick)
  behind.clear()
  vi.advanceTimersByTime(intervalMs)
  expect(got.slice(3)).toEqual([
    ["slow", "a 3"],
    ["slow", "elsewhere"],
    ["slow", "b 1"],
  ])
  expect(vi.getTimerCount()).toBe(0)
})

it("gives none after a newer one, whichever way each went", () => {
  const { behind, got, held } = stage()
  behind.add("slow")
  held.send(["slow"], [sentAs("a", 2)])
  // Handed on by another gateway, and late.
  held.send(["slow"], [sentAs("a", 1)])
  behind.clear()
  held.send(["slow"], [sentAs("a", 3)])
  vi.advanceTimersByTime(intervalMs)
  expect(got).toEqual([["slow", "a 3"]])
})

it("keeps nothing for a connection that left the channel, nor what is too old", () => {
  const { behind, gone, got, held } = stage()
  behind.add("slow")
  held.send(["slow"], [sentAs("a", 1)])
  held.send(["slow"], [sentAs("a", 1, { channel: "room:2", payload: "of the other" })])
  gone.add("slow room:1")
  behind.clear()
  vi.advanceTimersByTime(intervalMs)
  expect(got).toEqual([["slow", "of the other"]])
  behind.add("slow")
  held.send(["slow"], [sentAs("a", 2, { channel: "room:2" })])
  vi.advanceTimersByTime(11_000)
  expect(vi.getTimerCount()).toBe(0)
  behind.clear()
  vi.advanceTimersByTime(intervalMs)
  expect(got).toHaveLength(1)
})

it("holds one of a person and event, whatever they call their pages", () => {
  const { behind, got, held } = stage()
  behind.add("slow")
  for (let n = 1; n <= 1_000; n += 1) held.send(["slow"], [sentAs(`page ${n}`, 1)])
  behind.clear()
  vi.advanceTimersByTime(intervalMs)
  expect(got).toEqual([["slow", "page 1000 1"]])
})

it("looks once at a connection that stays behind, however much is held for it", () => {
  let looks = 0
  const held = createHeldSignals({
    isBehind: () => {
      looks += 1
      return true
    },
    isIn: () => true,
    emit: () => {},
    intervalMs,
  })
  for (let n = 0; n < 100; n += 1) held.send(["slow"], [sentAs("a", 1, { from: { id: `person ${n}` } })])
  looks = 0
  vi.advanceTimersByTime(intervalMs)
  expect(looks).toBe(1)
  held.close()
})

it("holds a bounded number for each connection", () => {
  const { behind, got, held } = stage()
  behind.add("slow")
  for (let n = 0; n < 1_000; n += 1) held.send(["slow"], [sentAs("a", n, { from: { id: `person ${n}` } })])
  behind.clear()
  vi.advanceTimersByTime(intervalMs)
  expect(got).toHaveLength(200)
  expect(got.at(-1)).toEqual(["slow", "a 999"])
})
