import { expect, it } from "vitest"
import { RealtimeError } from "../errors.ts"
import type { RealtimePublisher } from "../publisher.ts"
import type { StatePatch } from "../state.ts"
import { waitFor } from "../testing/wait-for.ts"
import { createStateOutlet } from "./state-outlet.ts"

/** A provider that takes state each 250 ms; pauses end when they are told to. */
function setUp(options: Partial<Parameters<typeof createStateOutlet>[0]> = {}) {
  const published: StatePatch[] = []
  const pauses: { ms: number; end: () => void }[] = []
  const errors: unknown[] = []
  let failure: RealtimeError | null = null
  let isSilent = false
  let attempts = 0
  const publisher = {
    provider: "test",
    state: {
      intervalMs: 250,
      async publish(patches: readonly StatePatch[]) {
        attempts += 1
        if (isSilent) await new Promise(() => {})
        if (failure) throw failure
        published.push(...patches)
      },
    },
  } as unknown as RealtimePublisher
  const outlet = createStateOutlet({
    publishers: [publisher],
    onError: (error) => void errors.push(error),
    pause: (ms) => new Promise((resolve) => pauses.push({ ms, end: resolve })),
    ...options,
  })
  let version = 0
  const settle = async () => {
    for (let n = 0; n < 10; n += 1) await Promise.resolve()
  }
  return {
    ...{ outlet, published, pauses, errors },
    set(key: string, channel = "market:1", epoch = "one") {
      version += 1
      outlet.add([
        { channel, epoch, from: version - 1, to: version, entries: [{ key, version, value: version }] },
      ])
    },
    /** Another server has written. */
    skip() {
      version += 1
    },
    fail(next: RealtimeError | null) {
      failure = next
    },
    silence(next: boolean) {
      isSilent = next
    },
    attempts: () => attempts,
    settle,
    async pass() {
      await settle()
      for (const { end } of pauses.splice(0)) end()
      await settle()
    },
    take: () =>
      published
        .splice(0)
        .map(({ from, to, entries }) => [
          from,
          to,
          entries.map(({ key, version: v }) => `${key}${v}`).join(" "),
        ]),
  }
}

it("hands over the first change at once and what follows together, of each key the newest", async () => {
  const { set, take, pass, pauses } = setUp()
  set("a")
  expect(take()).toEqual([[0, 1, "a1"]])
  for (let n = 0; n < 100; n += 1) set(n % 2 ? "a" : "b")
  expect(take()).toEqual([])
  await pass()
  expect(take()).toEqual([[1, 101, "b100 a101"]])
  expect(pauses.map(({ ms }) => ms)).toEqual([250])
  await pass()
  set("c")
  expect(take()).toEqual([[101, 102, "c102"]])
})

it("keeps what a provider didn't take, however long, as keys and not as changes", async () => {
  const { set, fail, take, pass, errors } = setUp()
  fail(new RealtimeError("provider-unavailable", { message: "away" }))
  set("a")
  for (let n = 0; n < 1_000; n += 1) set(n % 2 ? "a" : "b")
  await pass()
  set("c")
  fail(null)
  await pass()
  expect(take()).toEqual([[0, 1_002, "b1000 a1001 c1002"]])
  expect(errors).toEqual([])
})

it("gives up after five failures in a row, or one that doesn't pass, and says so", async () => {
  const { set, fail, pass, errors, take } = setUp()
  fail(new RealtimeError("provider-unavailable", { message: "away" }))
  set("a")
  for (let n = 0; n < 6; n += 1) await pass()
  expect(errors).toHaveLength(1)
  fail(new RealtimeError("invalid-config", { message: "wrong" }))
  set("a")
  await pass()
  expect(errors).toHaveLength(2)
  fail(null)
  set("a")
  await pass()
  // The hole by which readers find what they missed.
  expect(take()).toEqual([[2, 3, "a3"]])
})

it("says of which versions it knows nothing, where another server writes as well", async () => {
  const { set, skip, take, pass } = setUp()
  set("x")
  take()
  set("a")
  skip()
  set("b")
  set("a")
  await pass()
  expect(take()).toEqual([
    [1, 2, ""],
    [3, 5, "b4 a5"],
  ])
})

it("owes nothing of a life of the state that is over", async () => {
  const { set, take, pass, published } = setUp()
  set("x")
  take()
  set("a")
  set("b", "market:1", "another")
  await pass()
  expect(published.map(({ epoch, entries }) => [epoch, entries.map(({ key }) => key)])).toEqual([
    ["another", ["b"]],
  ])
})

it("counts each channel by itself", () => {
  const { set, published } = setUp()
  set("a")
  set("a", "market:2")
  expect(published.map(({ channel }) => channel)).toEqual(["market:1", "market:2"])
})

it("asks a provider that refuses no more often than one that takes it", async () => {
  const { set, fail, settle, pass, attempts, errors } = setUp()
  fail(new RealtimeError("invalid-config", { message: "wrong" }))
  for (let n = 0; n < 100; n += 1) {
    set("a")
    await settle()
  }
  expect([attempts(), errors.length]).toEqual([1, 1])
  await pass()
  expect([attempts(), errors.length]).toEqual([2, 2])
})

it("doesn't wait without end for a provider that never answers", async () => {
  const { set, silence, take, pass, pauses } = setUp({ limitMs: 1 })
  silence(true)
  set("a")
  await waitFor(() => pauses.length === 1)
  silence(false)
  set("b")
  await pass()
  expect(take()).toEqual([[0, 2, "a1 b2"]])
})

it("leaves no pause behind once it is stopped", async () => {
  const { set, fail, settle, outlet } = setUp({ pause: undefined })
  fail(new RealtimeError("rate-limited", { message: "later", retryAfterMs: 60_000 }))
  for (let n = 0; n < 20; n += 1) set("a", `market:${n}`)
  await settle()
  outlet.stop()
  await outlet.idle()
})

it("waits for nothing once it is stopped, whatever a delivery that was under way comes to", async () => {
  const warnings: Error[] = []
  const warn = (warning: Error) => void warnings.push(warning)
  process.on("warning", warn)
  const { promise, reject } = Promise.withResolvers<never>()
  const publisher = { provider: "test", state: { intervalMs: 250, publish: () => promise } }
  const publishers = [publisher as unknown as RealtimePublisher]
  const { set, outlet, pauses, errors } = setUp({ publishers })
  for (let n = 0; n < 20; n += 1) set("a", `market:${n}`)
  outlet.stop()
  await outlet.idle()
  reject(new RealtimeError("rate-limited", { message: "later", retryAfterMs: 60_000 }))
  await new Promise((resolve) => setImmediate(resolve))
  process.off("warning", warn)
  expect([pauses, errors, warnings]).toEqual([[], [], []])
})
