import { expect, it } from "vitest"
import { RealtimeError } from "../errors.ts"
import { createMemoryLog } from "../log/memory.ts"
import type { StateStore } from "../log/state-store.ts"
import type { StatePatch } from "../state.ts"
import { createStateWriter, type StateChange } from "./state-writer.ts"

const channel = "market:1"

/** A writer over a store in memory, and how often that was written. */
function setUp(
  change: (store: StateStore) => Partial<StateStore> = () => ({}),
  limits: { acceptLimitMs?: number; maxWaiting?: number } = {},
) {
  const store = createMemoryLog().state as StateStore
  const patches: StatePatch[] = []
  let commits = 0
  const write: StateStore["write"] = (...call) => {
    commits += 1
    return store.write(...call)
  }
  const counted = { ...store, write }
  const writer = createStateWriter({
    store: { ...counted, ...change(counted) },
    maxKeys: 3,
    ...limits,
    onCommit: (committed) => void patches.push(...committed),
  })
  const accept = async (value: unknown) => {
    if (value === "bad") throw new RealtimeError("invalid-payload", { message: "unable to accept it" })
    return value
  }
  const put = (kind: StateChange["kind"], key: string, value?: unknown, how = accept) =>
    writer.write({ channel, key, kind, value, accept: how })
  const values = async () =>
    Object.fromEntries((await store.read(channel)).entries.map(({ key, value }) => [key, value]))
  return { store, patches, put, values, writer, commits: () => commits }
}

it("writes what is asked at once in few transactions, of each key the last, in versions that follow each other", async () => {
  const { put, patches, values, commits } = setUp()
  const receipts = await Promise.all(Array.from({ length: 99 }, (_, n) => put("set", `k${n % 3}`, n)))
  expect(await values()).toEqual({ k0: 96, k1: 97, k2: 98 })
  expect(commits()).toBeLessThanOrEqual(2)
  expect(receipts.at(-1)?.version).toBe(patches.at(-1)?.to)
  for (const [index, { from }] of patches.entries()) expect(from).toBe(patches[index - 1]?.to ?? 0)
})

it("keeps the order of the calls, also where a schema takes its time", async () => {
  const { put, values } = setUp()
  const slow = async (value: unknown) => {
    await new Promise((resolve) => setImmediate(resolve))
    return value
  }
  await Promise.all([
    put("set", "a", 1, slow),
    put("set", "a", 2),
    put("delete", "b"),
    put("set", "b", 3, slow),
  ])
  expect(await values()).toEqual({ a: 2, b: 3 })
})

it("changes fields of what is there by then, and leaves a refused change to itself", async () => {
  const { put, values } = setUp()
  const outcomes = await Promise.allSettled([
    put("patch", "a", { x: 1 }),
    put("patch", "a", { y: 2 }),
    put("set", "a", "bad"),
    put("patch", "a", { y: 3 }),
    put("set", "b", [1]),
    put("patch", "b", { z: 1 }),
  ])
  expect(outcomes.map(({ status }) => status)).toEqual([
    ...["fulfilled", "fulfilled", "rejected", "fulfilled", "fulfilled", "fulfilled"],
  ])
  expect(await values()).toEqual({ a: { x: 1, y: 3 }, b: { z: 1 } })
  await put("delete", "a")
  await put("patch", "a", { y: 4 })
  expect(await values()).toEqual({ a: { y: 4 }, b: { z: 1 } })
})

it("leaves a field as it is where the change has none for it", async () => {
  const { put, values } = setUp()
  await put("set", "a", { x: 1, y: 1 })
  await put("patch", "a", { x: undefined, y: 2, z: null })
  expect(await values()).toEqual({ a: { x: 1, y: 2, z: null } })
})

it("holds up nobody for long where a schema never answers", async () => {
  const { put, values } = setUp(undefined, { acceptLimitMs: 1 })
  const never = () => new Promise<never>(() => {})
  const silent = [put("set", "a", 1, never), put("patch", "b", { x: 1 }, never)]
  const written = put("set", "c", 2)
  for (const change of silent) await expect(change).rejects.toMatchObject({ code: "timeout" })
  await written
  expect(await values()).toEqual({ c: 2 })
})

it("changes fields anew when somebody else has changed the value meanwhile, and gives up in the end", async () => {
  let others = 3
  const { put, values } = setUp((store) => ({
    async write(entries, limits) {
      if (others > 0) {
        others -= 1
        await store.write([{ channel, key: "a", value: JSON.stringify({ x: others }) }], limits)
      }
      return store.write(entries, limits)
    },
  }))
  await put("patch", "a", { y: 1 })
  expect(await values()).toEqual({ a: { x: 0, y: 1 } })
  others = 100
  await expect(put("patch", "a", { y: 2 })).rejects.toMatchObject({ code: "conflict" })
  await put("set", "a", "mine")
  expect(await values()).toEqual({ a: "mine" })
})

it("refuses the key that is one too many, by its name, and no other", async () => {
  const { put } = setUp()
  const outcomes = await Promise.allSettled(["a", "b", "c", "d", "a"].map((key) => put("set", key, 1)))
  expect(outcomes.map(({ status }) => status)).toEqual([
    ...["fulfilled", "fulfilled", "fulfilled", "rejected", "fulfilled"],
  ])
  await expect(put("set", "d", 1)).rejects.toMatchObject({
    code: "rate-limited",
    retryable: false,
    message: expect.stringContaining('unable to set "d"; the channel\'s state has 3 keys'),
  })
})

it("lets no more wait than it should", async () => {
  const { put } = setUp(undefined, { maxWaiting: 200 })
  const outcomes = await Promise.allSettled(Array.from({ length: 201 }, (_, n) => put("set", "a", n)))
  expect(outcomes.filter(({ status }) => status === "rejected")).toHaveLength(1)
  expect(outcomes.at(-1)).toMatchObject({ reason: { code: "rate-limited", retryable: true } })
})

it("tells everybody that the store failed, and goes on when it is back", async () => {
  let isAway = true
  const { put, values, patches, writer } = setUp((store) => ({
    async write(...call) {
      if (isAway) throw new RealtimeError("log-unavailable", { message: "unable to write" })
      return store.write(...call)
    },
  }))
  const outcomes = await Promise.allSettled([put("set", "a", 1), put("patch", "b", { x: 1 })])
  expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected"])
  expect(patches).toEqual([])
  isAway = false
  const written = put("set", "a", 2)
  await writer.idle()
  await written
  expect(await values()).toEqual({ a: 2 })
})
