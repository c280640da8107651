import type { JsonValue } from "../json.ts"
import type { LogHead, LogPage, User } from "../message.ts"
import type { SnapshotStore } from "./snapshot-store.ts"
import type { StateStore } from "./state-store.ts"

/**
 * Server: the durable, ordered history of every channel, and the source of truth of the delivery contract.
 *
 * Implementations are proven by `describeMessageLogContract`. Failures reject with `log-unavailable`, and
 * then nothing of that call was kept (a log across a network cannot know it when the connection breaks
 * during the commit: the ids make it safe to append again). A log that begins on a later release's tables
 * refuses them with `invalid-config`.
 */
export interface MessageLog {
  /**
   * Names the store that the messages are in, and no other one: two logs of one location hold the
   * same. By it `createRealtime` knows, in development, that it is called again over the same
   * log. Absent: nothing is known of it.
   */
  readonly location?: string

  /** Where the state of channels is kept, beside the messages. Absent: it isn't, and they have none. */
  readonly state?: StateStore

  /** Where the snapshots of channels are kept, beside the messages. Absent: they have none. */
  readonly snapshots?: SnapshotStore

  /**
   * Appends entries as one group: all of them, durably, or none. In each channel they get the next
   * `seq` in the given order, without holes, whatever other writers do at the same time. An entry
   * whose id its channel already holds is not appended again; its result is that of the first. Results
   * stand in the order of the entries.
   *
   * A `TypeError` for what no store gives back as it was: a payload that isn't JSON; NUL or a lone surrogate
   * in an id, a channel or an event (in a payload and a sender they are fine).
   */
  append(entries: readonly LogEntry[]): Promise<AppendResult[]>

  // Under a name that no store keeps nothing stands: whoever reads it is answered
  // as of a channel without messages.

  /**
   * The messages after `seq` (0: from the oldest kept), oldest first, at most `limit` and no more than fit
   * into `maxPageBytes`, but for a single one. With the mark of the message at `seq`, where it is kept.
   */
  readAfter(channel: string, seq: number, limit: number): Promise<LogPage>

  /**
   * The newest messages before `seq` (null: the newest of all), oldest first,
   * as many as `readAfter` would read.
   */
  readBefore(channel: string, seq: number | null, limit: number): Promise<LogPage>

  /**
   * The heads of many channels at once, in their order, each with the mark of its newest message, where it is
   * kept. A channel without messages has `seq` 0 and `first` 1. With no channel it still asks the store, so
   * that a server can find out at its start whether the log is there.
   */
  heads(channels: readonly string[]): Promise<LogHead[]>

  /**
   * Removes what retention no longer keeps, in steps that let appends between; resolves with how
   * many. A channel's head never goes back by it. An id is forgotten with its message: retention is
   * also how long a retry is recognised. A log that ignored `channels` would remove from all others what was
   * meant to stay: one of your own has to heed it, which `describeMessageLogContract` checks.
   *
   * Of a channel that has a snapshot no retention removes what follows it, nor what somebody needs who is a
   * little behind: of the messages up to its `upTo` the last 1,000, as far as they are less than 24 hours
   * older than the message there. A `maxMessagesPerChannel` of 0 is the end of a channel: its snapshots go,
   * too.
   */
  trim(retention: Retention): Promise<number>

  /**
   * Takes what a person sent out of the log, where nobody may leave a hole: each message keeps its
   * place, its id and its time, and is from then on an `erased` one of nobody, with `null` for a
   * payload. Resolves with how many.
   */
  erase(userId: string): Promise<number>

  /**
   * Begins another life of the log with what it holds: after a backup was restored, whose head may have been
   * passed before. Readers learn of it by the new epoch, which it resolves with, and start over.
   */
  renew(): Promise<string>

  /** Idempotent. Waits for what is under way. */
  close(): Promise<void>
}

/** The event of a message that was taken out of the log. */
export const erasedEvent = "erased"

/** What is appended: a message that has no place yet. */
export interface LogEntry {
  /** A UUID of the sender's making. A channel holds each id once. */
  id: string
  /** The name of the channel, at most 512 characters. */
  channel: string
  /** The event, as the channel declares it. */
  event: string
  /** JSON, as the event's schema returned it. */
  payload: JsonValue
  /** The authenticated sender; null for nobody. */
  from: User | null
  /** The W3C trace context of whoever has it appended, where messages are followed. It isn't kept. */
  traceparent?: string
}

/** Where an entry stands. */
export interface AppendResult {
  /** The id of the entry. */
  id: string
  /** Its position in the channel: 1, 2, 3 … without holes. */
  seq: number
  /** The log's epoch as it was when this was committed. */
  epoch: string
  /** By the log's clock, never earlier than that of the message before it. */
  at: number
  /** Who sent the message that holds this id: on a duplicate, the first one's sender. */
  from: User | null
  /**
   * True when the channel held this id before: then nothing was appended, and the rest tells of the first
   * one.
   */
  isDuplicate: boolean
}

/** What is kept. Without either, everything. */
export interface Retention {
  /** Messages older than this go. */
  maxAgeMs?: number | undefined
  /** Of each channel, at most this many of the newest stay; with 0 nothing does, nor a snapshot. */
  maxMessagesPerChannel?: number | undefined
  /** Of channels that have a snapshot, what it covers goes, but for what `trim` leaves. Default false. */
  covered?: boolean | undefined
  /** Of these alone; absent: of all. With a `maxMessagesPerChannel` of 0 nothing stays of them. */
  channels?: readonly string[] | undefined
}
