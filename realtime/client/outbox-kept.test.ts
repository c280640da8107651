import { afterEach, beforeEach, expect, it, vi } from "vitest"
import { RealtimeError } from "../errors.ts"
import type { OutboxNote } from "./outbox-bus.ts"
import { createOutboxEntries, newEntry } from "./outbox-entries.ts"
import { createKeptMessages } from "./outbox-kept.ts"
import { createMemoryStore, type OutboxStore } from "./outbox-store.ts"

const room = "room:1"
const place = { epoch: "e", seq: 1 }
const refusal = { code: "channel-denied" as const, message: "no" }

/** With one message, `a`, that is stored. */
async function setup(store: OutboxStore = createMemoryStore()) {
  const told: OutboxNote[] = []
  const woken: (string | undefined)[] = []
  const failures: string[] = []
  let hear: (note: OutboxNote) => void = () => {}
  const onError = (_: unknown, { stage }: { stage: string }) => void failures.push(stage)
  const entries = createOutboxEntries(onError)
  const bus = {
    post: (note: OutboxNote) => void told.push(note),
    listen(listener: typeof hear) {
      hear = listener
    },
    close() {},
  }
  const kept = createKeptMessages({ entries, store, bus, isOpen: () => true, onError })
  entries.subscribe(room, () => {})
  const entry = newEntry(room, { id: "a", event: "said", payload: 1 })
  entries.add(entry)
  await kept.add(entry)
  told.length = 0
  return {
    ...{ kept, entries, told, woken, failures },
    hear: (note: OutboxNote) => hear(note),
    open: () => kept.open((channel) => woken.push(channel)),
    states: () => entries.messages(room).map(({ id, state }) => `${id} ${state}`),
    stored: async () => (await store.load()).map((message) => message.refusal?.code ?? message.id),
  }
}

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }))
afterEach(() => void vi.useRealTimers())

it.each([
  { fate: { kind: "sent" as const, id: "a", place }, shown: ["a sent"], stored: [] },
  { fate: { kind: "removed" as const, id: "a" }, shown: [], stored: [] },
  { fate: { kind: "refused" as const, id: "a", refusal }, shown: ["a refused"], stored: [refusal.code] },
  { fate: { kind: "queued" as const, id: "a" }, shown: ["a queued"], stored: ["a"] },
])("knows in the page, the other tabs and the store what was $fate.kind", async ({ fate, ...expected }) => {
  const here = await setup()
  await here.kept.record(fate)
  expect({ shown: here.states(), stored: await here.stored() }).toEqual(expected)
  expect(here.told).toEqual([fate])
  const there = await setup()
  there.open()
  there.hear(fate)
  expect([there.states(), await there.stored(), there.told]).toEqual([expected.shown, ["a"], []])
})

it("shows the error that a message was refused for, and tells what of it can be told", async () => {
  const { kept, entries, told } = await setup()
  const error = new RealtimeError("rate-limited", { message: "no", retryAfterMs: 5 })
  await kept.refuse("a", error)
  expect(entries.get("a")?.error).toBe(error)
  expect(told).toEqual([
    { kind: "refused", id: "a", refusal: { code: "rate-limited", message: error.message } },
  ])
})

it("wakes all channels at once and when they were read, and that in which a tab has stored something", async () => {
  const { open, hear, woken, states } = await setup()
  open()
  expect(woken).toEqual([undefined])
  await new Promise((resolve) => setImmediate(resolve))
  expect(woken).toEqual([undefined, undefined])
  hear({
    kind: "stored",
    message: { id: "b", channel: room, event: "said", payload: 1, at: 0, position: 2 },
  })
  expect([woken.at(-1), states()]).toEqual([room, ["a queued", "b queued"]])
})

it("waits once for a store that doesn't answer, and asks it for no other read meanwhile", async () => {
  const disk = Promise.withResolvers<void>()
  const memory = createMemoryStore()
  const load = vi.fn(() => disk.promise.then(memory.load))
  const { kept, failures } = await setup({ ...memory, load })
  const first = kept.read(room)
  await vi.advanceTimersByTimeAsync(5_000)
  await first
  expect(kept.read(room)).toBeUndefined()
  // Asked for all the same, without a timer that runs.
  await kept.record({ kind: "removed", id: "a" })
  expect([failures, load.mock.calls.length, vi.getTimerCount()]).toEqual([["read the outbox"], 1, 0])
  disk.resolve()
  await new Promise((resolve) => setImmediate(resolve))
  await kept.read(room)
  expect(load).toHaveBeenCalledTimes(2)
})
