import { RealtimeError } from "../errors.ts"
import { type LogHead, markOf, type RealtimeMessage, type User } from "../message.ts"
import { firstWithin, maxPageBytes } from "../packing.ts"
import { isKeepable } from "../text.ts"
import { type AppendResult, erasedEvent, type LogEntry } from "./message-log.ts"
import type { StateWrite } from "./state-store.ts"

/** An entry as every store keeps it: text. */
export interface LogRecord {
  channel: string
  id: string
  event: string
  /** JSON. */
  payload: string
  /** JSON: a user or null. */
  sender: string
}

/** A record in its place, as a store gives it back; `channel` is what was asked for, so no row repeats it. */
export interface LogRow extends Omit<LogRecord, "channel"> {
  seq: number
  at: number
}

/**
 * Throws a `TypeError` for what a log cannot give back as it was, before anything of the group is written. In
 * a payload every text is fine: `JSON.stringify` escapes NUL and lone surrogates.
 */
export function toLogRecord({ channel, id, event, payload, from }: LogEntry): LogRecord {
  for (const [name, text] of Object.entries({ channel, id, event })) {
    if (!isKeepable(text)) throw new TypeError(`unable to append; the ${name} is not well-formed text`)
  }
  const json: string | undefined = JSON.stringify(payload)
  if (json === undefined) throw new TypeError("unable to append; the payload is not JSON")
  return { channel, id, event, payload: json, sender: JSON.stringify(from) }
}

/**
 * What a store looks a channel up by. Under a name that none keeps nothing stands, and null finds nothing.
 */
export const keyOf = (channel: string): string | null => (isKeepable(channel) ? channel : null)

/**
 * Throws a `TypeError` for what a store cannot give back as it was, before anything of the group is written.
 */
export function requireKeepable(entries: readonly StateWrite[]): void {
  for (const { channel, key } of entries) {
    if (!isKeepable(channel) || !isKeepable(key))
      throw new TypeError("unable to write; the channel or the key is not well-formed text")
  }
}

/** As stores sort text: by its UTF-8. */
export const byCode = (one: string, other: string): number =>
  Buffer.compare(Buffer.from(one), Buffer.from(other))

/** As a store gives it back. */
export const fromStateRow = ({ key, version, value }: { key: string; version: number; value: string }) => ({
  ...{ key, version, value: JSON.parse(value) as unknown },
})

export function fromLogRow(row: LogRow, channel: string, epoch: string): RealtimeMessage {
  const { id, seq, event, at } = row
  const from = JSON.parse(row.sender) as User | null
  return { id, channel, seq, epoch, event, payload: JSON.parse(row.payload), from, at }
}

/** The answer to an entry, from the record that holds its id: its own, or on a duplicate the first one's. */
export function toAppendResult(
  { id, seq, at, sender }: Pick<LogRow, "id" | "seq" | "at" | "sender">,
  epoch: string,
  isDuplicate: boolean,
): AppendResult {
  return { id, seq, epoch, at, from: JSON.parse(sender) as User | null, isDuplicate }
}

export function emptyHead(epoch: string): LogHead {
  return { epoch, seq: 0, first: 1 }
}

/** The mark of what may be kept. */
export const markOfRow = (row: Pick<LogRow, "id" | "at"> | null | undefined): { mark?: string } =>
  row ? { mark: markOf(row) } : {}

/** The first of the rows that fit into one page together. */
export const withinPage = (rows: Iterable<LogRow>): LogRow[] =>
  firstWithin(
    rows,
    maxPageBytes,
    ({ payload, sender }) => Buffer.byteLength(payload) + Buffer.byteLength(sender),
  )

/**
 * What stands in a record whose sender is this user, and in no other: in a name its quotes would be escaped.
 */
export const senderMark = (userId: string): string => `"id":${JSON.stringify(userId)}`

/** What is left of a record. */
export const erased = { event: erasedEvent, payload: "null", sender: "null" } as const

/**
 * «unable to ‹operation›; ‹reason›», retryable. `cause` may be shown in a log:
 * it must not hold a secret either.
 */
export function logUnavailable(operation: string, reason: string, cause?: unknown): RealtimeError {
  return new RealtimeError("log-unavailable", { message: `unable to ${operation}; ${reason}`, cause })
}

/** A store that a later release has migrated: this code cannot know what its tables mean. */
export function newerStore(version: number, known: number): RealtimeError {
  return new RealtimeError("invalid-config", {
    message: `unable to open the log; its tables are of version ${version} and this release knows up to ${known}`,
  })
}
