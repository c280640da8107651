import { expect, it } from "vitest"
import type { StatePatch } from "../../state.ts"
import { createStateWatchers } from "./state-watchers.ts"

const channel = "market:1"

/** Watchers whose time passes when it is told to. */
function setUp() {
  let time = 0
  let timers: { at: number; callback: () => void }[] = []
  const behind = new Set<string>()
  const sent: { to: string; patch: StatePatch }[] = []
  const emitted: { connections: readonly string[]; patch: StatePatch }[] = []
  const watchers = createStateWatchers({
    isBehind: (connection) => behind.has(connection),
    emit(connections, patch) {
      emitted.push({ connections, patch })
      sent.push(...connections.map((to) => ({ to, patch })))
    },
    now: () => time,
    later(callback, ms) {
      const timer = { at: time + ms, callback }
      timers.push(timer)
      return () => {
        timers = timers.filter((other) => other !== timer)
      }
    },
  })
  let version = 0
  return {
    ...{ watchers, behind, sent },
    set(key: string, value: unknown, epoch = "one") {
      version += 1
      watchers.take([{ channel, epoch, from: version - 1, to: version, entries: [{ key, version, value }] }])
    },
    skip() {
      version += 1
    },
    pass(ms: number) {
      const end = time + ms
      for (;;) {
        const next = timers.filter(({ at }) => at <= end).sort((one, other) => one.at - other.at)[0]
        if (!next) break
        timers = timers.filter((timer) => timer !== next)
        time = Math.max(time, next.at)
        next.callback()
      }
      time = end
    },
    timers: () => timers.length,
    /** Each patch with all whom it was sent to at once. */
    takeSent: () => emitted.splice(0),
    take: () =>
      sent
        .splice(0)
        .map(({ to, patch: { from, to: end, entries } }) => [
          to,
          from,
          end,
          ...entries.map(({ value }) => value),
        ]),
  }
}

it("tells each connection of its keys alone, at its own rate", () => {
  const { watchers, set, pass, take } = setUp()
  watchers.watch("quick", channel, ["a", "b"], 20)
  watchers.watch("slow", channel, ["a"], 2)
  set("a", 1)
  pass(1)
  expect(take()).toEqual([
    ["quick", 0, 1, 1],
    ["slow", 0, 1, 1],
  ])
  for (let n = 2; n <= 41; n += 1) {
    set(n % 2 ? "a" : "b", n)
    pass(25)
  }
  const told = take()
  const to = (name: string) => told.filter(([of]) => of === name)
  // A second and a half passed for it, a second for which it was told twice.
  expect(to("slow")).toHaveLength(2)
  expect(to("quick").length).toBeLessThanOrEqual(20)
  for (const name of ["quick", "slow"])
    expect(to(name).at(-1)?.slice(2)).toEqual(expect.arrayContaining([41, 41]))
})

it("tells those who are in step at once and in one go, each when its time has come", () => {
  const { watchers, behind, set, pass, takeSent } = setUp()
  for (const name of ["one", "two", "three"]) watchers.watch(name, channel, ["a", "b"], 4)
  watchers.watch("other", channel, ["b"], 4)
  watchers.watch("stuck", channel, ["a"], 4)
  behind.add("stuck")
  const told: unknown[] = []
  for (let n = 1; n <= 25; n += 1) {
    set("a", n)
    set("b", n)
    for (let ms = 0; ms < 20; ms += 1) {
      pass(1)
      for (const { connections } of takeSent()) told.push([(n - 1) * 20 + ms + 1, connections.join(" ")])
    }
  }
  expect(told).toEqual([
    [1, "one two three"],
    [1, "other"],
    [250, "one two three"],
    [250, "other"],
    [500, "one two three"],
    [500, "other"],
  ])
})

it("tells everybody of another life of the state, though it says nothing of their keys", () => {
  const { watchers, set, pass, sent } = setUp()
  watchers.watch("one", channel, ["a"], 20)
  set("a", 1)
  pass(100)
  sent.length = 0
  set("b", 2, "another")
  pass(100)
  expect(sent.map(({ to, patch }) => [to, patch.epoch, patch.entries.length])).toEqual([
    ["one", "another", 0],
  ])
})

it("waits no longer than it said where its timer comes too early", () => {
  let time = 0
  let timer: { callback: () => void; ms: number } | undefined
  const told: number[] = []
  const watchers = createStateWatchers({
    isBehind: () => false,
    emit: () => void told.push(time),
    now: () => time,
    later(callback, ms) {
      timer = { callback, ms }
      return () => {
        timer = undefined
      }
    },
  })
  const set = (version: number) =>
    watchers.take([
      {
        channel,
        epoch: "one",
        from: version - 1,
        to: version,
        entries: [{ key: "a", version, value: version }],
      },
    ])
  watchers.watch("one", channel, ["a"], 4)
  set(1)
  const fire = (early: number) => {
    const due = timer
    timer = undefined
    time += Math.max(0, (due?.ms ?? 0) - early)
    due?.callback()
  }
  fire(0)
  set(2)
  fire(10)
  expect(told).toEqual([0])
  fire(0)
  expect(told).toEqual([0, 250])
  expect(timer).toBeUndefined()
})

it("owes a connection that doesn't read no more than its keys, and gives it the newest once it reads", () => {
  const { watchers, behind, set, pass, take, timers } = setUp()
  watchers.watch("stuck", channel, ["a", "b"], 20)
  watchers.watch("other", channel, ["a"], 20)
  behind.add("stuck")
  for (let n = 1; n <= 10_000; n += 1) set(n % 2 ? "a" : "b", n)
  pass(10_000)
  expect(take()).toEqual([["other", 0, 10_000, 9_999]])
  expect(watchers.unsent).toBe(2)
  behind.delete("stuck")
  pass(100)
  expect(take()).toEqual([["stuck", 0, 10_000, 9_999, 10_000]])
  expect([watchers.unsent, timers()]).toEqual([0, 0])
})

it("sends much in parts, and doesn't say that it was all before it was", () => {
  const { watchers, set, pass, take } = setUp()
  const keys = Array.from({ length: 10 }, (_, n) => `k${n}`)
  watchers.watch("one", channel, keys, 20)
  for (const key of keys) set(key, "x".repeat(20_000))
  pass(1_000)
  const told = take()
  expect(told.map(([, from, to, ...values]) => [from, to, values.length])).toEqual([
    [0, 0, 3],
    [0, 0, 3],
    [0, 0, 3],
    [0, 10, 1],
  ])
})

it("says where it goes on, also to whom nothing of it was", () => {
  const { watchers, set, pass, take } = setUp()
  watchers.watch("one", channel, ["a"], 20)
  set("b", 1)
  set("b", 2)
  pass(1_000)
  expect(take()).toEqual([])
  set("a", 3)
  pass(1_000)
  expect(take()).toEqual([["one", 0, 3, 3]])
  watchers.watch("one", channel, ["b"], 20)
  set("a", 4)
  set("b", 5)
  pass(1_000)
  expect(take()).toEqual([["one", 3, 5, 5]])
})

it("waits a second for what is missing, then tells everybody that it is", () => {
  const { watchers, set, skip, pass, take } = setUp()
  watchers.watch("one", channel, ["a"], 20)
  watchers.watch("two", channel, ["b"], 20)
  set("a", 1)
  pass(100)
  take()
  skip()
  set("a", 3)
  pass(500)
  // What came is shown; what is missing may be on its way.
  expect(take()).toEqual([["one", 0 + 1, 1, 3]])
  pass(1_000)
  expect(take()).toEqual([
    ["one", 2, 3],
    ["two", 2, 3],
  ])
  set("b", 4)
  pass(100)
  expect(take()).toEqual([["two", 3, 4, 4]])
})

it("tells everybody of another life of the state, and nothing of the one before", () => {
  const { watchers, behind, set, pass, sent } = setUp()
  watchers.watch("one", channel, ["a"], 20)
  watchers.watch("two", channel, ["b"], 20)
  behind.add("two")
  set("b", 1)
  set("a", 2)
  pass(100)
  sent.length = 0
  set("a", 3, "another")
  behind.clear()
  pass(100)
  expect(sent.map(({ to, patch }) => [to, patch.epoch, patch.entries.length])).toEqual([
    ["one", "another", 1],
    ["two", "another", 0],
  ])
})

it("forgets who leaves, and what nobody watches", () => {
  const { watchers, set, pass, take, timers } = setUp()
  watchers.watch("one", channel, ["a"], 20)
  set("a", 1)
  watchers.unwatch("one", channel)
  watchers.unwatch("one", channel)
  set("a", 2)
  pass(1_000)
  expect(take()).toEqual([])
  expect([watchers.unsent, timers()]).toEqual([0, 0])
})

it("keeps no value that it owes to nobody, while it owes others", () => {
  const { watchers, behind, set, pass } = setUp()
  watchers.watch("stuck", channel, ["a"], 20)
  behind.add("stuck")
  set("a", 1)
  for (let n = 0; n < 100; n += 1) {
    // Keys without end, of which each is watched for a while.
    watchers.watch("other", channel, ["a", `k${n}`], 20)
    set(`k${n}`, n)
    if (n % 2) pass(100)
  }
  pass(100)
  expect(watchers.kept).toBe(1)
  set("a", 2)
  expect(watchers.kept).toBe(1)
  watchers.watch("stuck", channel, ["b"], 20)
  pass(100)
  expect(watchers.kept).toBe(0)
  set("b", 3)
  expect(watchers.kept).toBe(1)
  watchers.unwatch("stuck", channel)
  expect(watchers.kept).toBe(0)
})
