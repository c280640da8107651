import type { JsonValue } from "../json.ts"
import type { LogHead, LogPage, User } from "../message.ts"

/**
 * Server: the durable, ordered history of every channel, and the source of truth of the delivery contract.
 *
 * Implementations are proven by `describeMessageLogContract`. Failures reject with `log-unavailable`, and then
 * nothing of that call was kept (a log across a network cannot know it when the connection breaks during the commit:
 * the ids make it safe to append again). Tables of a later release are refused with `invalid-config`.
 */
export interface MessageLog {
  /**
   * Appends entries as one group: all of them, durably, or none. In each channel they get the next `seq` in the given
   * order, without holes, whatever other writers do at the same time. An entry whose id its channel already holds is
   * not appended again; its result is that of the first. Results stand in the order of the entries.
   *
   * A `TypeError` for what no store gives back as it was: a payload that isn't JSON; NUL or a lone surrogate in an id,
   * a channel or an event (in a payload and a sender they are fine).
   */
  append(entries: readonly LogEntry[]): Promise<AppendResult[]>

  /** The messages after `seq` (0: from the oldest kept), oldest first, at most `limit`. */
  readAfter(channel: string, seq: number, limit: number): Promise<LogPage>

  /** The newest messages before `seq` (null: the newest of all), oldest first, at most `limit`. */
  readBefore(channel: string, seq: number | null, limit: number): Promise<LogPage>

  /**
   * The heads of many channels at once, in their order. A channel without messages has `seq` 0 and `first` 1. With no
   * channel it still asks the store, so that a server can find out at its start whether the log is there.
   */
  heads(channels: readonly string[]): Promise<LogHead[]>

  /**
   * Removes what retention no longer keeps, in steps that let appends between; resolves with how many. A channel's head
   * never goes back by it. An id is forgotten with its message: retention is also how long a retry is recognised.
   */
  trim(retention: Retention): Promise<number>

  /** Idempotent. Waits for what is under way. */
  close(): Promise<void>
}

export interface LogEntry {
  id: string
  channel: string
  event: string
  payload: JsonValue
  from: User | null
}

export interface AppendResult {
  id: string
  seq: number
  epoch: string
  /** By the log's clock, never earlier than that of the message before it. */
  at: number
  /** Who sent the message that holds this id: on a duplicate, the first one's sender. */
  from: User | null
  isDuplicate: boolean
}

export interface Retention {
  /** Messages older than this go. */
  maxAgeMs?: number | undefined
  /** Of each channel, at most this many of the newest stay. */
  maxMessagesPerChannel?: number | undefined
}
