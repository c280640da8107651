import type { Cursor, LogPage } from "../message.ts"

type Read = (after: Cursor | null) => Promise<LogPage>

/** Reads of a log: those that ask the same, while one is under way, are one. */
export function createSharedReads(read: Read) {
  const reads = new Map<string, Promise<LogPage>>()
  return {
    read(after: Cursor | null): Promise<LogPage> {
      const key = after ? `${after.epoch}:${after.seq}` : "head"
      const started = reads.get(key)
      if (started) return started
      const reading = read(after).finally(() => reads.get(key) === reading && reads.delete(key))
      reads.set(key, reading)
      return reading
    },
    /** The next ones share none of those that are under way. */
    clear: () => reads.clear(),
  }
}
