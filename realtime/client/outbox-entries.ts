import type { OnError, RealtimeError } from "../errors.ts"
import type { JsonValue } from "../json.ts"
import { createListeners, type Listeners } from "../listeners.ts"
import type { Cursor, PublishReceipt } from "../message.ts"

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
  key: symbol
  /** Ends its time, which runs from the call on, whatever it waits for. */
  timer: ReturnType<typeof setTimeout>
  /** Whether a request with it has left. */
  hasLeft: boolean
  /** Why its last attempt failed; null before the first. */
  reason: RealtimeError | null
  resolve(receipt: PublishReceipt): void
  reject(error: RealtimeError): void
}

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
  /** By a key of its own, since its id may be that of something that is kept too. */
  addPublished(key: symbol, entry: OutboxEntry): void
  change(id: string, to: Partial<OutboxEntry>): void
  forget(id: string): void
  release(caller: Caller): void
  /** What is kept and hasn't arrived, for whoever shows it. The same array until something changes. */
  messages(channel: string): readonly OutboxMessage[]
  subscribe(channel: string, listener: () => void): () => void
  isWatched(channel: string): boolean
}

export function createOutboxEntries(onError: OnError): OutboxEntries {
  const entries = new Map<string | symbol, OutboxEntry>()
  const shown = new Map<string, readonly OutboxMessage[]>()
  const listeners = new Map<string, Listeners<[]>>()

  function changed(channel: string): void {
    shown.delete(channel)
    listeners.get(channel)?.tell()
  }

  function add(entry: OutboxEntry): void {
    entries.set(entry.id, entry)
    changed(entry.channel)
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
    addPublished: (key, entry) => void entries.set(key, entry),
    change(id, to) {
      const entry = entries.get(id)
      if (entry) add({ ...entry, ...to })
    },
    forget(id) {
      const entry = entries.get(id)
      if (entry && entries.delete(id)) changed(entry.channel)
    },
    release({ key, timer }) {
      clearTimeout(timer)
      entries.delete(key)
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
    isWatched: (channel) => listeners.has(channel),
  }
}
