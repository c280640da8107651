import { isRealtimeError, RealtimeError } from "../errors.ts"
import type { OutgoingMessage, PublishResult } from "../transport.ts"
import { batchOf, fewerThan, maxBatch } from "./batch.ts"
import {
  type Answer,
  isAccident,
  isTooLargeTogether,
  obstacleOf,
  resultAt,
  stateBehind,
} from "./outbox-answers.ts"
import type { OutboxEntries, OutboxEntry } from "./outbox-entries.ts"
import type { KeptMessages } from "./outbox-kept.ts"

/**
 * After so many tries that ended in a failure of the server itself, at this very message, it may be the
 * message. With the pauses between them half a minute; it isn't counted in time, for a page that slept
 * or had no network tried nothing.
 */
const maxAccidents = 7

/** One request: a result for each message, in order. Rejects when there was no answer. */
export type Deliver = (channel: string, messages: readonly OutgoingMessage[]) => Promise<PublishResult[]>

/** Requests in a row, which begin with what is first in a channel. */
export interface Attempt {
  /** Whoever began it no longer waits for it, and nothing more is sent. */
  isOver: boolean
  /** Whether a message got away. */
  hasProgress: boolean
}

/**
 * Sends what there is to send, batch by batch; resolves with the reason why something has to wait. Nothing
 * passes what waits: the server wrote nothing that stands behind it.
 */
export type SendAll = (
  channel: string,
  next: () => OutboxEntry[],
  attempt: Attempt,
) => Promise<RealtimeError | null>

const toOutgoing = ({ id, event, payload }: OutboxEntry): OutgoingMessage => ({ id, event, payload })

export function createSendAll(entries: OutboxEntries, kept: KeptMessages, deliver: Deliver): SendAll {
  /** How far what is kept has come. What is published has no state to show. */
  function mark({ id, caller }: OutboxEntry, to: Partial<OutboxEntry>): void {
    if (!caller) entries.change(id, to)
  }

  async function request(channel: string, batch: readonly OutboxEntry[]): Promise<Answer> {
    for (const entry of batch) {
      mark(entry, { state: "sending", error: undefined })
      if (entry.caller) entry.caller.hasLeft = true
    }
    try {
      return await deliver(channel, batch.map(toOutgoing))
    } catch (cause) {
      if (isRealtimeError(cause)) return cause
      const message = "unable to publish; the client failed"
      return new RealtimeError("internal", { message, retryable: false, cause })
    }
  }

  /** It got away, or was refused. */
  async function settle({ id, caller }: OutboxEntry, result: PublishResult): Promise<void> {
    if (caller) {
      entries.release(caller)
      if ("receipt" in result) caller.resolve(result.receipt)
      else caller.reject(result.error)
    } else if ("receipt" in result) {
      const { epoch, seq } = result.receipt
      await kept.record({ kind: "sent", id, place: { epoch, seq } })
    } else await kept.refuse(id, result.error)
  }

  /** The server failed at this one: whether it has, so often that it is refused. */
  async function stumble({ id }: OutboxEntry, error: RealtimeError): Promise<boolean> {
    const entry = entries.get(id)
    if (!entry) return true
    const accidents = (entry.accidents ?? 0) + 1
    entries.change(id, { accidents })
    if (accidents < maxAccidents) return false
    await kept.refuse(id, error)
    return true
  }

  return async (channel, next, attempt) => {
    let most = maxBatch
    for (;;) {
      const batch = batchOf(next(), most, toOutgoing)
      if (batch.length === 0 || attempt.isOver) return null
      const answer = await request(channel, batch)
      if (isTooLargeTogether(batch, answer)) {
        most = fewerThan(batch.length)
        for (const entry of batch) mark(entry, { state: "queued" })
        continue
      }
      const staying: { entry: OutboxEntry; error: RealtimeError }[] = []
      for (const [index, entry] of batch.entries()) {
        const result = resultAt(answer, index)
        const error = obstacleOf(entry, result)
        if (!error) {
          await settle(entry, result)
          continue
        }
        if (entry.caller) entry.caller.reason = error
        staying.push({ entry, error })
      }
      if (attempt.isOver) return null
      const [first, ...others] = staying
      if (staying.length < batch.length) attempt.hasProgress = true
      if (!first) continue
      if (isAccident(first.entry, first.error, answer) && (await stumble(first.entry, first.error))) {
        attempt.hasProgress = true
        for (const { entry } of others) mark(entry, { state: "queued" })
        continue
      }
      for (const { entry, error } of staying) mark(entry, stateBehind(error))
      return first.error
    }
  }
}
