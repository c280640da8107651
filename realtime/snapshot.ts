import { fromBase64 } from "./base64.ts"
import { RealtimeError } from "./errors.ts"
import { isPosition, type LogPage, parseLogPage } from "./message.ts"

/** What the messages of a channel up to one position amount to, by the application's own measure. */
export interface Snapshot {
  /** The `seq` of the last message that is part of it. */
  upTo: number
  /** As they were written. */
  bytes: Uint8Array
}

/** A channel's snapshot with the messages that follow it, as many as fit into one page of the log. */
export interface SnapshotPage extends LogPage {
  /** Null: there is none, and the messages are the oldest that are kept. */
  snapshot: Snapshot | null
}

/**
 * Reads a snapshot that came over the network, its bytes in base64. Throws `invalid-request` when it isn't
 * one; the next answer may be.
 */
export function parseSnapshotPage(value: unknown): SnapshotPage {
  const page = parseLogPage(value)
  const { snapshot } = value as { snapshot?: unknown }
  if (snapshot === null) return { ...page, snapshot }
  const { upTo, bytes } = (snapshot ?? {}) as { [Name in keyof Snapshot]?: unknown }
  if (isPosition(upTo) && typeof bytes === "string") {
    try {
      return { ...page, snapshot: { upTo, bytes: fromBase64(bytes) } }
    } catch {
      // Not base64: what is said below.
    }
  }
  throw new RealtimeError("invalid-request", {
    message: "unable to read the snapshot; the answer is malformed",
    retryable: true,
  })
}
