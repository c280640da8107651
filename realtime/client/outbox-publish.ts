import { RealtimeError } from "../errors.ts"
import type { PublishReceipt } from "../message.ts"
import type { OutgoingMessage } from "../transport.ts"
import { type Caller, newEntry, type OutboxEntries } from "./outbox-entries.ts"
import type { OutboxOrder } from "./outbox-order.ts"
import type { OutboxSender } from "./outbox-sender.ts"

/** A timer of more than this, some 24 days, would end at once. */
const longestTimerMs = 2 ** 31 - 1

/** `Outbox.publish`: what somebody waits for goes in its turn, neither kept nor shown. */
export const createPublish =
  (entries: OutboxEntries, order: OutboxOrder, senderOf: (channel: string) => OutboxSender) =>
  (channel: string, message: OutgoingMessage, timeoutMs: number): Promise<PublishReceipt> =>
    new Promise((resolve, reject) => {
      const sender = senderOf(channel)
      /** Gives up, for the reason of its last attempt. */
      function expire(): void {
        entries.release(caller)
        reject(caller.reason ?? unansweredInTime(caller.hasLeft ? undefined : sender.reason))
      }
      const timer = setTimeout(expire, Math.min(timeoutMs, longestTimerMs))
      const caller: Caller = { timer, hasLeft: false, reason: null, resolve, reject }
      const entry = newEntry(channel, message, { caller })
      entries.addPublished(caller, entry)
      function ready(): void {
        entry.position = order.place()
        entry.isReady = true
        // After the current task, so that calls made together leave together. The server sets the pace: no
        // message that is published cuts a pause short.
        queueMicrotask(() => sender.isWaiting || sender.wake())
      }
      if (order.isWaiting(channel)) order.after(channel, undefined, ready)
      else ready()
    })

/** Nobody gets an answer any more. */
export function rejectPublished(entries: OutboxEntries): void {
  for (const { caller } of entries.all()) {
    if (!caller) continue
    entries.release(caller)
    caller.reject(closedError())
  }
}

const unansweredInTime = (obstacle: RealtimeError | undefined) =>
  new RealtimeError("timeout", {
    message: obstacle
      ? `unable to publish; it wasn't attempted in its time, behind others that failed (${obstacle.code})`
      : "unable to publish; there was no answer in its time",
    ...(obstacle && { cause: obstacle }),
  })

export const closedError = () =>
  new RealtimeError("not-connected", {
    message: "unable to publish; the client was closed",
    retryable: false,
  })
