import { RealtimeError } from "../errors.ts"
import type { MessageLog } from "../log/message-log.ts"
import type { SnapshotStore, SnapshotWrite, SnapshotWritten } from "../log/snapshot-store.ts"
import { isPosition, type LogPage } from "../message.ts"
import type { SnapshotPage } from "../snapshot.ts"

export interface SnapshotsOptions {
  log: MessageLog
  /** The largest, in bytes. */
  maxBytes: number
  /** Equal reads at one time are one. */
  share<T>(key: string, read: () => Promise<T>): Promise<T>
  readAfter(channel: string, seq: number, limit: number): Promise<LogPage>
}

/** The snapshots of channels, as server code and the catch-all route use them. */
export interface Snapshots {
  read(channel: string, before?: number): Promise<SnapshotPage>
  write(channel: string, snapshot: SnapshotWrite): Promise<SnapshotWritten>
  trim(channel: string): Promise<number>
}

/** What follows it that is given with a snapshot: as much as of a read of the log. */
const maxMessages = 500
/** How often it is read: a newer one may have come, and what followed the first gone, between two reads. */
const maxReads = 4

export function createSnapshots({ log, maxBytes, share, readAfter }: SnapshotsOptions): Snapshots {
  function requireStore(): SnapshotStore {
    if (log.snapshots) return log.snapshots
    throw new RealtimeError("unsupported", {
      message: "unable to use the channel's snapshot; the log keeps none",
    })
  }

  return {
    async read(channel, before) {
      const store = requireStore()
      for (let reads = 1; ; reads += 1) {
        const { epoch, snapshot } = await share(`snapshot ${before ?? ""} ${channel}`, () =>
          store.read(channel, before),
        )
        const upTo = snapshot?.upTo ?? 0
        const page = await readAfter(channel, upTo, maxMessages)
        const isWhole = page.head.epoch === epoch && page.head.first <= upTo + 1
        if (isWhole || reads === maxReads) return { ...page, snapshot }
        const { epoch: life, snapshot: now } = await store.read(channel, before)
        // Nothing that would close the hole: it is the reader's to be told.
        if (life === page.head.epoch && (now?.upTo ?? 0) === upTo) return { ...page, snapshot: now }
      }
    },

    async write(channel, snapshot) {
      const store = requireStore()
      const { epoch, upTo, ifUpTo, bytes } = snapshot
      if (typeof epoch !== "string" || !isPosition(upTo) || !isPosition(ifUpTo) || upTo <= ifUpTo)
        throw badSnapshot(`"upTo" has to be a position after "ifUpTo"`)
      // By its tag: one that another realm has made, as under jsdom, is none by `instanceof`.
      if (Object.prototype.toString.call(bytes) !== "[object Uint8Array]")
        throw badSnapshot(`"bytes" has to be a Uint8Array`)
      if (bytes.byteLength > maxBytes) {
        const message = `unable to write a snapshot of ${bytes.byteLength} bytes; the limit is ${maxBytes}`
        throw new RealtimeError("message-too-large", { message })
      }
      const written = await store.write(channel, { epoch, upTo, ifUpTo, bytes })
      if (!written.isWritten && written.epoch === epoch && upTo > written.seq)
        throw badSnapshot(`it says to reach ${upTo}, and the log ends at ${written.seq}`)
      return written
    },

    async trim(channel) {
      requireStore()
      return log.trim({ channels: [channel], covered: true })
    },
  }
}

const badSnapshot = (reason: string) =>
  new RealtimeError("invalid-request", { message: `unable to write the snapshot; ${reason}` })

/** A snapshot as it travels: JSON knows no bytes. */
export const toWireSnapshot = ({ snapshot, ...page }: SnapshotPage) => ({
  ...page,
  snapshot: snapshot && { upTo: snapshot.upTo, bytes: Buffer.from(snapshot.bytes).toString("base64") },
})
