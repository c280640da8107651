import type { Snapshot } from "../snapshot.ts"

/**
 * Server: of each channel one snapshot, what its messages up to one position amount to, and the one before
 * it; beside the messages, in the same store, whose epoch is that of the snapshots, too. Implementations are
 * proven by `describeMessageLogContract`. Failures reject with `log-unavailable`, and then nothing was kept.
 */
export interface SnapshotStore {
  /**
   * Puts a snapshot in place, if the log is of this `epoch` and reaches `upTo`, and the newest
   * snapshot is the one at `ifUpTo`, which is before it; else nothing is written. Of many that write onto the
   * same one a single one is, whatever other writers do at the same time. The snapshot before it stays, as
   * those have read it who go on from there; the one before that goes.
   */
  write(channel: string, snapshot: SnapshotWrite): Promise<SnapshotWritten>

  /**
   * The newest snapshot, with `before` the newest that reaches less far; null where there is none, as of a
   * channel that no store can name.
   */
  read(channel: string, before?: number): Promise<{ epoch: string; snapshot: Snapshot | null }>
}

/** A snapshot that is to be put in place. */
export interface SnapshotWrite extends Snapshot {
  /** Of the log that it was made from. */
  epoch: string
  /** What it is written onto: the `upTo` of the newest snapshot, 0 where there is none. */
  ifUpTo: number
}

/** Whether a snapshot was written, and what there is now. */
export interface SnapshotWritten {
  /** False: what it was to be written onto isn't there, or the log doesn't reach its `upTo`. */
  isWritten: boolean
  /** The log's. */
  epoch: string
  /** Of the newest snapshot; 0: there is none. */
  upTo: number
  /** Of the channel's newest message. */
  seq: number
}

/**
 * What retention leaves behind a snapshot's `upTo`, the smaller of the two: so somebody who is a little
 * behind goes on from where they stand, and needn't read the snapshot. The time is between messages, so a
 * clock that jumps takes nothing that follows a snapshot.
 */
export const keptBehind = { messages: 1_000, ms: 24 * 3_600_000 } as const
