import { applyUpdate, Doc, decodeUpdate, encodeStateAsUpdate } from "yjs"
import type { RealtimeMessage } from "../message.ts"
import { createUpdateAssembler, partSpan } from "./update-parts.ts"

/** A document that is built from a log alone. */
export interface LogDocument {
  /** Takes the next messages, without a hole. */
  take(messages: readonly RealtimeMessage[]): void
  /** The `seq` of the last message that was taken. */
  readonly seq: number
  /**
   * Up to which message it may be kept: every update is whole, and nothing waits for what comes later. What
   * has waited for `partSpan` messages waits for something that was never in the log, and counts no more.
   */
  readonly cleanUpTo: number
  /** How many messages were passed over, since they carry no update. */
  readonly passedOver: number
  /** All of it, what waits included, as one update. */
  state(): Uint8Array
  destroy(): void
}

/** Throws where `bytes` isn't an update. */
export function createLogDocument(upTo: number, bytes: Uint8Array | null): LogDocument {
  const doc = new Doc()
  const assembler = createUpdateAssembler()
  let seq = upTo
  let cleanUpTo = upTo
  let passedOver = 0

  assembler.begin(upTo)
  if (bytes) {
    decodeUpdate(bytes)
    applyUpdate(doc, bytes)
  }
  /** What waited in the snapshot already isn't waited for. */
  const waitedBefore = waiting()

  /** What there is that can't be applied yet, as a text to compare; null where there is nothing. */
  function waiting(): string | null {
    const { pendingStructs, pendingDs } = doc.store
    if (!pendingStructs && !pendingDs) return null
    return JSON.stringify([pendingStructs && [...pendingStructs.missing], pendingDs && [...pendingDs]])
  }

  function apply(message: RealtimeMessage): void {
    if (message.event !== "update") {
      assembler.skip(message.seq)
      return
    }
    const update = assembler.take(message)
    if (!update) return
    decodeUpdate(update)
    applyUpdate(doc, update)
  }

  return {
    take(messages) {
      for (const message of messages) {
        if (message.seq !== seq + 1) throw new TypeError(`the log has a hole after ${seq}`)
        seq = message.seq
        try {
          apply(message)
        } catch {
          passedOver += 1
        }
        const now = waiting()
        if (now === null || now === waitedBefore) cleanUpTo = assembler.wholeUpTo
      }
    },
    get seq() {
      return seq
    },
    get cleanUpTo() {
      return Math.max(cleanUpTo, Math.min(assembler.wholeUpTo, seq - partSpan))
    },
    get passedOver() {
      return passedOver
    },
    state: () => encodeStateAsUpdate(doc),
    destroy: () => doc.destroy(),
  }
}
