import { fromWireError, RealtimeError, toWireError } from "./errors.ts"
import type { PublishReceipt } from "./message.ts"
import type { OutgoingMessage, PublishResult } from "./transport.ts"

/** A result as it travels over HTTP or a socket. */
export function toWireResult(result: PublishResult) {
  return "receipt" in result ? result : { error: toWireError(result.error) }
}

function isReceipt(value: unknown): value is PublishReceipt {
  const { id, seq, epoch, at } = (value ?? {}) as Partial<PublishReceipt>
  return (
    typeof id === "string" && typeof epoch === "string" && Number.isSafeInteger(seq) && typeof at === "number"
  )
}

/**
 * Reads a server's answer to a publish: one result for each message, in order.
 * Throws `internal` when it isn't.
 */
export function fromWireResults(value: unknown, messages: readonly OutgoingMessage[]): PublishResult[] {
  if (!Array.isArray(value) || value.length !== messages.length) {
    throw new RealtimeError("internal", {
      message: "unable to read the answer to a publish; it is malformed",
    })
  }
  return value.map((item: { receipt?: unknown; error?: unknown }) =>
    isReceipt(item?.receipt) ? { receipt: item.receipt } : { error: fromWireError(item?.error) },
  )
}
