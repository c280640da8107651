import type { StatePage } from "../state.ts"

/**
 * Server: the newest value of each key, by channel; beside the messages, in the same store, whose epoch is
 * that of the values, too. Implementations are proven by `describeMessageLogContract`. Failures reject with
 * `log-unavailable`, and then nothing of that call was kept.
 */
export interface StateStore {
  /**
   * Writes as one group: all that isn't refused, durably, or nothing. Each entry that is written takes its
   * channel's next version, in the given order, whatever other writers do at the same time; so does one
   * that deletes what isn't there. Results stand in the order of the entries.
   *
   * A `TypeError` for what no store gives back as it was: a value that isn't JSON; NUL or a lone surrogate in
   * a channel or a key.
   */
  write(entries: readonly StateWrite[], limits: { maxKeys: number }): Promise<StateWritten[]>

  /**
   * The entries of these keys, of all keys without any, in the order of the keys, and the channel's version;
   * of a channel in which nothing was written, 0. Never goes back within an epoch.
   */
  read(channel: string, keys?: readonly string[]): Promise<StatePage>
}

/** What is written at one key. */
export interface StateWrite {
  /** The channel's name. */
  channel: string
  /** Whose value it is. */
  key: string
  /** JSON; null deletes the key. */
  value: string | null
  /** Refused unless the key's entry has this version by then; 0: unless there is none. */
  ifVersion?: number
}

/** Where an entry stands, or why it isn't written: `full`, the channel has as many keys as it may have. */
export type StateWritten = { epoch: string; version: number } | { refused: "full" | "changed" }
