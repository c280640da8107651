import { afterEach, beforeEach, expect, it, vi } from "vitest"
import type { RealtimeError } from "../errors.ts"
import type { OutgoingMessage } from "../transport.ts"
import { createLazyOutbox } from "./lazy-outbox.ts"
import type { Outbox } from "./outbox.ts"
import type { OutboxEntries } from "./outbox-entries.ts"
import { createPageOutbox, inThisPage } from "./page-outbox.ts"

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const room = "room:1"
const outgoing = (id: string): OutgoingMessage => ({ id, event: "said", payload: id })

/** A page whose downloads do as the test says, one after the other, over a server that takes everything. */
function openPage({ isKept = false } = {}) {
  const place = inThisPage()
  const requests: string[][] = []
  const told: string[] = []
  const downloads: PromiseWithResolvers<(entries: OutboxEntries) => Outbox>[] = []
  const onError = (error: unknown, { stage }: { stage: string }) =>
    void told.push(`${stage}: ${(error as RealtimeError).code}`)
  const outbox = createLazyOutbox({
    load() {
      const download = Promise.withResolvers<(entries: OutboxEntries) => Outbox>()
      downloads.push(download)
      return download.promise
    },
    isKept,
    onError,
  })
  const deliver = async (_: string, messages: readonly OutgoingMessage[]) => {
    requests.push(messages.map(({ id }) => id))
    return messages.map(({ id }, index) => ({ receipt: { id, seq: index + 1, epoch: "e", at: 0 } }))
  }
  const arrive = (index = 0) => {
    downloads[index]?.resolve((entries) => createPageOutbox({ place, entries, deliver, onError }))
    return vi.advanceTimersByTimeAsync(0)
  }
  const states = () => outbox.messages(room).map(({ id, state }) => `${id} ${state}`)
  return { outbox, place, requests, told, downloads, arrive, states }
}

it("shows what is added at once, and sends it in order with what is published", async () => {
  const { outbox, requests, arrive, states, told } = openPage()
  outbox.open()
  const changed = vi.fn()
  outbox.subscribe(room, changed)
  outbox.add(room, outgoing("a"))
  expect([states(), changed.mock.calls.length]).toEqual([["a queued"], 1])
  const published = outbox.publish(room, outgoing("b"), 1_000)
  outbox.add(room, outgoing("c"))
  expect(states()).toEqual(["a queued", "c queued"])
  await arrive()
  await expect(published).resolves.toMatchObject({ id: "b" })
  await vi.advanceTimersByTimeAsync(0)
  expect(requests.flat()).toEqual(["a", "b", "c"])
  // And from now on without it.
  await outbox.publish(room, outgoing("d"), 1_000)
  expect([requests.flat(), told]).toEqual([["a", "b", "c", "d"], []])
})

it("downloads nothing for a page that has nothing to send", async () => {
  const { outbox, downloads } = openPage()
  outbox.open()
  outbox.wake()
  outbox.arrived(room, new Set(["a"]))
  await vi.advanceTimersByTimeAsync(60_000)
  expect(downloads).toHaveLength(0)
})

it("is downloaded by a page that is opened, where an earlier one may have left something, which it sends", async () => {
  const { outbox, place, requests, downloads, arrive, states } = openPage({ isKept: true })
  await place.store.add({ id: "of yesterday", channel: room, event: "said", payload: null, at: 0 })
  expect(downloads).toHaveLength(0)
  outbox.subscribe(room, () => {})
  outbox.open()
  expect(downloads).toHaveLength(1)
  await arrive()
  await vi.advanceTimersByTimeAsync(0)
  expect([requests, states()]).toEqual([[["of yesterday"]], ["of yesterday sent"]])
})

it("tries a download again that fails or doesn't come, says so once, and loses nothing meanwhile", async () => {
  const { outbox, requests, downloads, arrive, told } = openPage()
  outbox.open()
  outbox.add(room, outgoing("a"))
  downloads[0]?.reject(new Error("offline"))
  await vi.advanceTimersByTimeAsync(3_000)
  expect([downloads.length, told]).toEqual([2, ["load the outbox: not-connected"]])
  await vi.advanceTimersByTimeAsync(15_000 + 3_000)
  expect([downloads.length, told.length]).toEqual([3, 1])
  outbox.add(room, outgoing("b"))
  await arrive(2)
  await vi.advanceTimersByTimeAsync(0)
  expect(requests.flat()).toEqual(["a", "b"])
  // One that nobody waits for any more.
  await arrive(1)
  expect(requests.flat()).toEqual(["a", "b"])
})

it("tries at once when the connection is back", async () => {
  const { outbox, downloads } = openPage()
  outbox.open()
  outbox.add(room, outgoing("a"))
  downloads[0]?.reject(new Error("offline"))
  await vi.advanceTimersByTimeAsync(1)
  outbox.wake()
  expect(downloads).toHaveLength(2)
})

it("rejects what is published when its time is over or the outbox is closed, and never sends it", async () => {
  const { outbox, requests, arrive } = openPage()
  outbox.open()
  const late = expect(outbox.publish(room, outgoing("late"), 1_000)).rejects.toMatchObject({
    ...{ code: "timeout", retryable: true },
  })
  await vi.advanceTimersByTimeAsync(1_000)
  await late
  const closed = { code: "not-connected", retryable: false }
  const waiting = expect(outbox.publish(room, outgoing("b"), 60_000)).rejects.toMatchObject(closed)
  outbox.close()
  await waiting
  await expect(outbox.publish(room, outgoing("c"), 1_000)).rejects.toMatchObject(closed)
  await arrive()
  await expect(outbox.publish(room, outgoing("d"), 1_000)).rejects.toMatchObject(closed)
  expect(requests).toEqual([])
})

it("leaves what is published the rest of its time", async () => {
  const { outbox, place, downloads } = openPage()
  outbox.open()
  const published = outbox.publish(room, outgoing("a"), 1_000)
  const settled = vi.fn()
  published.catch(settled)
  await vi.advanceTimersByTimeAsync(600)
  const never = () => new Promise<never>(() => {})
  downloads[0]?.resolve((entries) => createPageOutbox({ place, entries, deliver: never, onError() {} }))
  await vi.advanceTimersByTimeAsync(399)
  expect(settled).not.toHaveBeenCalled()
  await vi.advanceTimersByTimeAsync(1)
  expect(settled).toHaveBeenCalledOnce()
})

it("keeps what is added over a close, and forgets what is thrown away", async () => {
  const { outbox, requests, arrive, states } = openPage()
  outbox.open()
  for (const id of ["a", "b"]) outbox.add(room, outgoing(id))
  outbox.discard("a")
  outbox.close()
  expect(states()).toEqual(["b queued"])
  await arrive()
  expect([requests, states()]).toEqual([[], ["b queued"]])
  outbox.open()
  await vi.advanceTimersByTimeAsync(0)
  expect(requests).toEqual([["b"]])
})

it("shows what the page refuses, and sends it never", async () => {
  const { outbox, requests, arrive, states } = openPage()
  outbox.open()
  outbox.add(room, outgoing("a"), { code: "event-unknown" } as RealtimeError)
  expect(states()).toEqual(["a refused"])
  await arrive()
  expect([requests, states()]).toEqual([[], ["a refused"]])
})
