import type { OnError, RealtimeError } from "../errors.ts"
import type { JsonValue } from "../json.ts"
import { createListeners, type Listeners } from "../listeners.ts"
import type { Cursor, PublishReceipt } from "../message.ts"
import type { OutgoingMessage } from "../transport.ts"
import { fromRefusal, type OutboxStore, type StoredMessage } from "./outbox-store.ts"

/**
 * How far one's own message has come:
 *
 *     queued ──▶ sending ──▶ sent ──▶ (arrives, and is the log's)
 *       ▲           │ └────▶ refused
 *       └── failed ◀┘
 *
 * - `refused`: the server said no, or failed at it so often that it may be the message: `discard` it, or
 *   `retry`.
 * - `failed`: tried in vain, or behind one that was; it goes by itself after a pause, or at once by `retry`.
 */
export type OutboxState = "queued" | "sending" | "sent" | "failed" | "refused"

export interface OutboxMessage {
  readonly id: string
  readonly event: string
  readonly payload: JsonValue
  /** When it was written, by this device's clock, in milliseconds since 1970. */
  readonly at: number
  readonly state: OutboxState
  /** With `failed` and `refused`: why. */
  readonly error?: RealtimeError | undefined
  /** With `sent`: its place in the log. */
  readonly place?: Cursor | undefined
}

export interface OutboxEntry extends OutboxMessage {
  channel: string
  /** Its place among all that were ever stored; not known before it is. */
  position: number
  /** Whether another tab could send it. */
  isStored: boolean
  /** It was stored, or storing it failed: it may be sent. */
  isReady: boolean
  /** It came back from the log, which may be before the answer. */
  hasArrived: boolean
  /** How often this page tried it and the server failed at it alone, since a person last asked for it. */
  accidents?: number
  /** Whoever published it. It is neither kept nor shown. */
  caller?: Caller
}

export interface Caller {
  /** Ends its time, which runs from the call on, whatever it waits for. */
  timer: ReturnType<typeof setTimeout>
  /** Whether a request with it has left. */
  hasLeft: boolean
  /** Why its last attempt failed; null before the first. */
  reason: RealtimeError | null
  resolve(receipt: PublishReceipt): void
  reject(error: RealtimeError): void
}

/** As it was written: neither stored nor in its turn yet. */
export const newEntry = (
  channel: string,
  message: OutgoingMessage,
  more?: Partial<OutboxEntry>,
): OutboxEntry => ({
  ...{ ...message, channel, at: Date.now(), state: "queued", position: Number.POSITIVE_INFINITY },
  ...{ isStored: false, isReady: false, hasArrived: false },
  ...more,
})

/**
 * What an outbox holds: a list for each channel, in the order in which it leaves, and whoever looks at it.
 */
export interface OutboxEntries {
  /** Of what is kept. */
  get(id: string): OutboxEntry | undefined
  /** Of all channels, what is published too. */
  all(): OutboxEntry[]
  /** All of a channel, by their places. What has the same place stands in the order in which it came. */
  inOrder(channel: string): OutboxEntry[]
  add(entry: OutboxEntry): void
  /** By whoever waits for it, since its id may be that of something that is kept too. */
  addPublished(caller: Caller, entry: OutboxEntry): void
  change(id: string, to: Partial<OutboxEntry>): void
  /** It has left: a read that is under way doesn't bring it back. */
  forget(id: string): void
  /** What an earlier page or another tab has stored, unless it is known. */
  restore(message: StoredMessage): void
  /** Reads what other tabs have stored, sent, refused or thrown away; by default in all channels. */
  load(store: OutboxStore, channel?: string): Promise<void>
  readonly isReading: boolean
  release(caller: Caller): void
  /** What is kept and hasn't arrived, for whoever shows it. The same array until something changes. */
  messages(channel: string): readonly OutboxMessage[]
  subscribe(channel: string, listener: () => void): () => void
  /** Whether somebody looks at its channel, where it hasn't arrived. */
  isWatched(id: string): boolean
}

export function createOutboxEntries(onError: OnError): OutboxEntries {
  const entries = new Map<string | Caller, OutboxEntry>()
  const shown = new Map<string, readonly OutboxMessage[]>()
  const listeners = new Map<string, Listeners<[]>>()
  /** Reads of the store that are under way, and what left meanwhile, which they may still bring. */
  let reads = 0
  const leftMeanwhile = new Set<string>()

  function changed(channel: string): void {
    shown.delete(channel)
    listeners.get(channel)?.tell()
  }

  function add(entry: OutboxEntry): void {
    entries.set(entry.id, entry)
    changed(entry.channel)
  }

  function remove(id: string): void {
    const entry = entries.get(id)
    if (entry && entries.delete(id)) changed(entry.channel)
  }

  function restore({ position, refusal, ...message }: StoredMessage): void {
    if (entries.has(message.id)) return
    const error = refusal && fromRefusal(refusal)
    const state = error ? "refused" : "queued"
    add({ ...message, position, state, error, isStored: true, isReady: true, hasArrived: false })
  }

  const all = () => [...entries.values()]
  const inOrder = (channel: string) =>
    all()
      .filter((entry) => entry.channel === channel)
      .sort((a, b) => a.position - b.position)

  return {
    get: (id) => entries.get(id),
    all,
    inOrder,
    add,
    addPublished: (caller, entry) => void entries.set(caller, entry),
    change(id, to) {
      const entry = entries.get(id)
      if (entry) add({ ...entry, ...to })
    },
    forget(id) {
      if (reads > 0) leftMeanwhile.add(id)
      remove(id)
    },
    restore,
    async load(store, channel) {
      const isMeant = (message: { channel: string }) => channel === undefined || message.channel === channel
      // What comes or leaves while it is read may be in the answer or not, which says nothing of it.
      const known = all().filter((entry) => isMeant(entry) && entry.isStored)
      reads += 1
      try {
        const stored = (await store.load()).filter(isMeant)
        const ids = new Set(stored.map(({ id }) => id))
        for (const { id } of known) if (!ids.has(id) && entries.get(id)?.state !== "sent") remove(id)
        for (const message of stored) if (!leftMeanwhile.has(message.id)) restore(message)
      } finally {
        reads -= 1
        if (reads === 0) leftMeanwhile.clear()
      }
    },
    get isReading() {
      return reads > 0
    },
    release(caller) {
      clearTimeout(caller.timer)
      entries.delete(caller)
    },
    messages(channel) {
      let list = shown.get(channel)
      if (!list) {
        list = inOrder(channel).filter(({ hasArrived, caller }) => !hasArrived && !caller)
        shown.set(channel, list)
      }
      return list
    },
    subscribe(channel, listener) {
      const ofChannel = listeners.get(channel) ?? createListeners(onError, "outbox.subscribe")
      listeners.set(channel, ofChannel)
      const stop = ofChannel.add(listener)
      return () => {
        stop()
        if (ofChannel.size === 0 && listeners.get(channel) === ofChannel) listeners.delete(channel)
      }
    },
    isWatched(id) {
      const entry = entries.get(id)
      return entry !== undefined && !entry.hasArrived && listeners.has(entry.channel)
    },
  }
}
