import { expect, it, vi } from "vitest"
import { createStateWatchers } from "./state-watchers.ts"

const numbered = (count: number, from = 0) => Array.from({ length: count }, (_, n) => `key:${from + n}`)

function setup() {
  const told: string[] = []
  const onChange = vi.fn()
  const watchers = createStateWatchers(onChange)
  function watch(name: string, keys: string[], perSecond = 4) {
    const watcher = { keys: new Set<string>(), perSecond, changed: () => void told.push(name) }
    watchers.add(watcher)
    watchers.update(watcher, keys)
    return watcher
  }
  return { watchers, watch, told, changes: () => onChange.mock.calls.length }
}

it("wants all keys that anybody watches, as often as the most eager does", () => {
  const { watchers, watch, changes } = setup()
  expect(watchers.wanted()).toEqual({ keys: [], perSecond: 1 })
  watch("one", ["a", "b"])
  const eager = watch("other", ["b", "c"], 20)
  expect(watchers.wanted()).toEqual({ keys: ["a", "b", "c"], perSecond: 20 })
  watchers.update(eager, ["d"])
  expect(watchers.wanted().keys).toEqual(["a", "b", "d"])
  watchers.remove(eager)
  expect(watchers.wanted()).toEqual({ keys: ["a", "b"], perSecond: 4 })
  expect(changes()).toBe(4)
})

it("tells each once of what is among its keys, and nobody who stopped", () => {
  const { watchers, watch, told } = setup()
  watch("one", ["a", "b"])
  watch("other", ["b", "c"])
  watchers.remove(watch("third", ["a", "b", "c"]))
  watchers.tell(["a", "b"])
  watchers.tell(["c", "d"])
  watchers.tell([])
  expect(told).toEqual(["one", "other", "other"])
})

it("takes as many keys of a page as may be watched, and none of a request that asks for more", () => {
  const { watchers, watch, changes } = setup()
  const one = watch("one", numbered(300))
  const other = watch("other", numbered(200, 300))
  const before = changes()
  expect(() => watchers.update(other, numbered(201, 300))).toThrow(
    expect.objectContaining({ code: "rate-limited", retryable: false }),
  )
  expect(() => watchers.update(one, ["a", "k".repeat(201)])).toThrow(
    expect.objectContaining({ code: "invalid-request" }),
  )
  expect([watchers.wanted().keys.length, changes()]).toEqual([500, before])
  // Its own keys of before don't count.
  watchers.update(one, numbered(300, 1000))
  expect(watchers.wanted().keys).toHaveLength(500)
})
