import type { OnError, RealtimeError } from "../errors.ts"
import type { PublishReceipt } from "../message.ts"
import type { OutgoingMessage, PublishResult } from "../transport.ts"
import type { OutboxBus } from "./outbox-bus.ts"
import { createOutboxEntries, newEntry, type OutboxEntry, type OutboxMessage } from "./outbox-entries.ts"
import { createKeptMessages } from "./outbox-kept.ts"
import { createOutboxOrder } from "./outbox-order.ts"
import { closedError, createPublish, rejectPublished } from "./outbox-publish.ts"
import { createSendAll } from "./outbox-send-all.ts"
import { createOutboxSender, type OutboxSender } from "./outbox-sender.ts"
import type { OutboxStore } from "./outbox-store.ts"
import { createTurns, type Exclusively } from "./tab-turns.ts"

/**
 * A page's one way out: messages leave each channel in the order of the calls, whether they are
 * kept until the log has them, over reloads, crashes and days without a network (`add`), or
 * somebody waits for them (`publish`).
 */
export interface Outbox {
  /** What is on its way in a channel, in the order it was written. The same array until something changes. */
  messages(channel: string): readonly OutboxMessage[]
  subscribe(channel: string, listener: () => void): () => void
  /** Shows it at once, stores it, then sends it. With an error it is shown as refused and nothing is sent. */
  add(channel: string, message: OutgoingMessage, error?: RealtimeError): void
  /**
   * Sends it in its turn without keeping or showing it, while the outbox isn't open too. Resolves once it is
   * in the log; what fails in passing is tried again, with the same id, for as long as `timeoutMs`. Rejects
   * with the server's refusal; with the reason of its last attempt, or `timeout` without one, when its time
   * is over; with `not-connected` when the outbox is closed.
   */
  publish(channel: string, message: OutgoingMessage, timeoutMs: number): Promise<PublishReceipt>
  retry(id: string): void
  discard(id: string): void
  /** These have arrived in the channel: they are no longer one's own to show. */
  arrived(channel: string, ids: ReadonlySet<string>): void
  /**
   * Reads what an earlier page left behind and goes on with it, and with what was added before. Idempotent.
   */
  open(): void
  /**
   * The connection or the network is back: tries at once what waits for its next
   * attempt, by default in all channels.
   */
  wake(channel?: string): void
  /**
   * Sends nothing more and hears no other tab, until it is opened again. What was
   * published rejects; what was added waits.
   */
  close(): void
}

export interface OutboxOptions {
  /** Keeps what wasn't sent. */
  store: OutboxStore
  /** Between the tabs of one person. */
  bus: OutboxBus
  /** Lets one tab of the person send at a time. */
  exclusively: Exclusively
  /** One request: a result for each message, in order. Rejects when there was no answer. */
  deliver(channel: string, messages: readonly OutgoingMessage[]): Promise<PublishResult[]>
  /** Where failures go that no caller waits for. */
  onError: OnError
}

export function createOutbox({ store, bus, exclusively, deliver, onError }: OutboxOptions): Outbox {
  let isOpen = false
  let isClosed = false
  const page = { isOpen: () => isOpen, onError }
  const entries = createOutboxEntries(onError)
  const order = createOutboxOrder()
  const kept = createKeptMessages({ entries, store, bus, ...page })
  const send = createSendAll(entries, kept, deliver)
  const takeTurn = createTurns({ exclusively, ...page })
  const senders = new Map<string, OutboxSender>()

  function senderOf(channel: string): OutboxSender {
    let sender = senders.get(channel)
    if (!sender) {
      sender = createOutboxSender(channel, { entries, kept, send, exclusively: takeTurn, ...page })
      senders.set(channel, sender)
    }
    return sender
  }

  const publish = createPublish(entries, order, senderOf)

  function wake(channel?: string): void {
    const names = channel === undefined ? entries.all().map((entry) => entry.channel) : [channel]
    for (const name of new Set(names)) senderOf(name).wake()
  }

  function keepAndSend(entry: OutboxEntry): void {
    const { id, channel } = entry
    order.after(channel, kept.add(entry), () => {
      const stored = entries.get(id)
      if (!stored) return
      entries.change(id, { position: order.place(stored.position), isReady: true })
      wake(channel)
    })
  }

  return {
    messages: entries.messages,
    subscribe: entries.subscribe,
    add(channel, message, error) {
      const entry = newEntry(channel, message, error && { state: "refused", error })
      entries.add(entry)
      if (!error) keepAndSend(entry)
    },
    publish: (channel, message, timeoutMs) =>
      isClosed ? Promise.reject(closedError()) : publish(channel, message, timeoutMs),
    retry(id) {
      const entry = entries.get(id)
      if (entry?.state !== "failed" && entry?.state !== "refused") return
      if (entry.isReady) return void kept.record({ kind: "queued", id }).then(() => wake(entry.channel))
      // The page itself refused it, so it lies nowhere yet: the server is the one to say.
      entries.change(id, { state: "queued", error: undefined })
      keepAndSend(entry)
    },
    discard(id) {
      const entry = entries.get(id)
      // What is under way may be in the log already.
      if (entry && entry.state !== "sending") void kept.record({ kind: "removed", id })
    },
    arrived(channel, ids) {
      for (const { id, state, hasArrived, caller } of entries.inOrder(channel)) {
        if (!ids.has(id) || hasArrived || caller) continue
        if (state === "sent") entries.forget(id)
        else entries.change(id, { hasArrived: true })
      }
    },
    open() {
      if (isOpen) return
      isOpen = true
      isClosed = false
      kept.open(wake)
    },
    wake,
    close() {
      isOpen = false
      isClosed = true
      for (const sender of senders.values()) sender.stop()
      rejectPublished(entries)
      kept.close()
    },
  }
}
