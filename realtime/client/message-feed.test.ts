import { afterEach, describe, expect, it, vi } from "vitest"
import { logError, RealtimeError } from "../errors.ts"
import type { JsonValue } from "../json.ts"
import type { RealtimeMessage } from "../message.ts"
import { createMessageId } from "../message-id.ts"
import type { contractChannels } from "../testing/index.ts"
import type { PublishResult } from "../transport.ts"
import { createMessageFeed } from "./message-feed.ts"
import { createOutbox } from "./outbox.ts"
import { createSilentBus } from "./outbox-bus.ts"
import { createMemoryStore } from "./outbox-store.ts"
import type { Channel, ChannelHandlers } from "./types.ts"

type Room = typeof contractChannels.room

const message = (seq: number, id = `m${seq}`, epoch = "e"): RealtimeMessage => ({
  id,
  channel: "room:1",
  seq,
  epoch,
  event: "said",
  payload: { text: id },
  from: null,
  at: seq,
})
const page = (from: number, to: number, head = to, epoch = "e", first = 1) => ({
  head: { epoch, seq: head, first },
  messages: Array.from({ length: to - from + 1 }, (_, index) => message(from + index, undefined, epoch)),
})

/** A channel whose other end is in the test's hands. */
function createScripted(initial = page(8, 10)) {
  const place = { epoch: initial.head.epoch, seq: initial.head.seq }
  const sent: { ids: string[]; settle: PromiseWithResolvers<PublishResult[]> }[] = []
  const pages: ReturnType<typeof page>[] = []
  const asked = vi.fn()
  let handlers: ChannelHandlers<Room> | null = null
  const outbox = createOutbox({
    store: createMemoryStore(),
    bus: createSilentBus(),
    exclusively: (_, task) => task(),
    deliver(_, messages) {
      const settle = Promise.withResolvers<PublishResult[]>()
      sent.push({ ids: messages.map(({ id }) => id), settle })
      return settle.promise
    },
    onError: (error) => {
      throw error
    },
  })
  outbox.open()
  const channel = {
    outbox: {
      get messages() {
        return outbox.messages("room:1")
      },
      subscribe: (listener: () => void) => outbox.subscribe("room:1", listener),
      add(event: string, payload: JsonValue) {
        const id = createMessageId()
        outbox.add("room:1", { id, event, payload })
        return id
      },
      retry: outbox.retry,
      discard: outbox.discard,
      arrived: (ids: ReadonlySet<string>) => outbox.arrived("room:1", ids),
    },
    subscribe(given: ChannelHandlers<Room>) {
      handlers = given
      return { cursor: place, ready: Promise.resolve(), unsubscribe() {} }
    },
    report: logError,
    async history() {
      asked()
      const next = pages.shift()
      if (!next) throw new Error("no page is left")
      return next
    },
  } as unknown as Channel<Room>
  const feed = createMessageFeed<Room>(channel, initial)
  feed.start()
  const live = () => handlers as ChannelHandlers<Room>
  return { feed, sent, pages, asked, live, place }
}

afterEach(() => vi.useRealTimers())

const seqs = ({ state }: ReturnType<typeof createScripted>["feed"]) => state.messages.map(({ seq }) => seq)
const settled = () => new Promise((resolve) => setImmediate(resolve))

const receipt = (id: string): PublishResult[] => [{ receipt: { id, seq: 11, epoch: "e", at: 0 } }]

describe("a message of one's own", () => {
  it("is queued, sending, sent, then simply there", async () => {
    const { feed, sent, live } = createScripted()
    const id = feed.send("said", { text: "x" })
    expect(feed.state.pending).toMatchObject([{ id, state: "queued" }])
    await settled()
    expect(feed.state.pending).toMatchObject([{ id, state: "sending" }])
    sent[0]?.settle.resolve(receipt(id))
    await settled()
    expect(feed.state.pending).toMatchObject([{ id, state: "sent" }])
    live().onMessages([message(11, id)] as never)
    expect([feed.state.pending, seqs(feed)]).toEqual([[], [8, 9, 10, 11]])
  })

  it("may arrive before it is acknowledged", async () => {
    const { feed, sent, live } = createScripted()
    const id = feed.send("said", { text: "x" })
    await settled()
    live().onMessages([message(11, id)] as never)
    expect(feed.state.pending).toEqual([])
    sent[0]?.settle.resolve(receipt(id))
    await settled()
    expect(feed.state.pending).toEqual([])
  })

  it("says why it was refused, and is tried again under its id or forgotten", async () => {
    const { feed, sent } = createScripted()
    const id = feed.send("said", { text: "x" })
    await settled()
    sent[0]?.settle.resolve([{ error: new RealtimeError("channel-denied", { message: "no" }) }])
    await settled()
    expect(feed.state.pending).toMatchObject([{ id, state: "refused", error: { code: "channel-denied" } }])
    feed.retry(id)
    await settled()
    expect(sent.map(({ ids }) => ids)).toEqual([[id], [id]])
    expect(feed.state.pending).toMatchObject([{ state: "sending", error: undefined }])
    sent[1]?.settle.reject(new Error("not one of ours"))
    await settled()
    expect(feed.state.pending).toMatchObject([{ state: "refused", error: { code: "internal" } }])
    feed.discard(id)
    expect(feed.state.pending).toEqual([])
  })
})

describe("what is shown", () => {
  it("grows upwards until the log has no more", async () => {
    const { feed, pages } = createScripted()
    expect(feed.state.hasOlder).toBe(true)
    pages.push(page(4, 7, 10), page(1, 3, 10))
    const loading = feed.loadOlder()
    expect(feed.state.isLoadingOlder).toBe(true)
    await feed.loadOlder()
    await loading
    expect([seqs(feed).at(0), feed.state.hasOlder, feed.state.isLoadingOlder]).toEqual([4, true, false])
    await feed.loadOlder()
    expect([seqs(feed), feed.state.hasOlder]).toEqual([[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], false])
  })

  it("grows upwards to a message that is asked for, and no further", async () => {
    const { feed, pages } = createScripted()
    pages.push(page(6, 7, 10), page(4, 5, 10), page(1, 3, 10))
    await feed.loadOlder({ until: 5 })
    expect(seqs(feed).at(0)).toBe(4)
    await feed.loadOlder({ until: 1 })
    expect([seqs(feed).at(0), feed.state.hasOlder]).toEqual([1, false])
    // What isn't kept any more can't be reached: that ends too.
    await feed.loadOlder({ until: 0 })
    expect(seqs(feed).at(0)).toBe(1)
  })

  it("says where its beginning is no longer kept", async () => {
    const { feed, pages } = createScripted(page(8, 10, 10, "e", 5))
    expect(feed.state).toMatchObject({ hasOlder: true, isTruncated: false })
    // Retention went on meanwhile.
    pages.push(page(7, 7, 10, "e", 7))
    await feed.loadOlder()
    expect(feed.state).toMatchObject({ hasOlder: false, isTruncated: true })

    const cut = createScripted(page(8, 10, 10, "e", 8))
    expect(cut.feed.state).toMatchObject({ hasOlder: false, isTruncated: true })
    const nothing = createScripted(page(11, 10, 10, "e", 11))
    expect(nothing.feed.state).toMatchObject({ messages: [], hasOlder: false, isTruncated: true })
    for (const whole of [page(1, 10), page(1, 0)])
      expect(createScripted(whole).feed.state).toMatchObject({ hasOlder: false, isTruncated: false })
  })

  it("never asks again where a page brought nothing", async () => {
    const { feed, pages } = createScripted()
    pages.push(page(8, 7, 10))
    await feed.loadOlder({ until: 1 })
    expect(feed.state).toMatchObject({ hasOlder: false, isTruncated: true })
  })

  it("says why reading older ones failed, and reads again a moment later, however often it is asked to", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout"] })
    const { feed, pages, asked, live } = createScripted()
    await feed.loadOlder()
    expect(feed.state).toMatchObject({ isLoadingOlder: false, olderError: { code: "internal" } })
    // As a list does that is scrolled at its top.
    const scrolled = Array.from({ length: 20 }, () => feed.loadOlder())
    expect(feed.state).toMatchObject({ isLoadingOlder: true, olderError: null })
    await vi.advanceTimersByTimeAsync(999)
    expect(asked).toHaveBeenCalledTimes(1)
    await vi.advanceTimersByTimeAsync(1)
    await Promise.all(scrolled)
    expect(asked).toHaveBeenCalledTimes(2)
    expect(feed.state.olderError).not.toBeNull()
    live().onCaughtUp?.({ count: 0, recovered: true })
    expect(feed.state.olderError).toBeNull()
    pages.push(page(7, 7, 10))
    const loading = feed.loadOlder()
    await vi.advanceTimersByTimeAsync(1_000)
    await loading
    expect([seqs(feed).at(0), feed.state.olderError]).toEqual([7, null])
  })

  it("keeps holes in sight, and how the last interruption ended", () => {
    const { feed, live } = createScripted()
    live().onGap?.({ from: 11, to: 12 })
    live().onMessages([message(13)] as never)
    live().onCaughtUp?.({ count: 1, recovered: false })
    expect(feed.state).toMatchObject({
      gaps: [{ from: 11, to: 12 }],
      caughtUp: { count: 1, recovered: false },
    })
  })

  it("is without one's own of which the place is past: it was taken by retention, or with the log that held it", async () => {
    const { feed, sent, live, place } = createScripted()
    const here = feed.send("said", { text: "in the gap" })
    await settled()
    sent[0]?.settle.resolve([{ receipt: { id: here, seq: 11, epoch: "e", at: 0 } }])
    await settled()
    expect(feed.state.pending).toMatchObject([{ id: here, state: "sent", place: { epoch: "e", seq: 11 } }])
    place.seq = 12
    live().onGap?.({ from: 11, to: 12 })
    expect(feed.state.pending).toEqual([])

    const there = feed.send("said", { text: "in the old log" })
    await settled()
    sent[1]?.settle.resolve([{ receipt: { id: there, seq: 13, epoch: "e", at: 0 } }])
    await settled()
    expect(feed.state.pending).toHaveLength(1)
    Object.assign(place, { epoch: "new", seq: 2 })
    live().onReset?.({ previous: { epoch: "e", seq: 12 }, cursor: { epoch: "new", seq: 2 } })
    expect(feed.state.pending).toEqual([])
  })

  it("is that of the new log when the old one was replaced", async () => {
    const { feed, pages, live } = createScripted()
    pages.push(page(1, 2, 2, "new"))
    live().onReset?.({ previous: { epoch: "e", seq: 10 }, cursor: { epoch: "new", seq: 2 } })
    await settled()
    expect([seqs(feed), feed.state.wasReset]).toEqual([[1, 2], true])
  })
})
