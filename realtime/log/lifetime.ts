import { logUnavailable } from "./record.ts"

export interface Lifetime {
  /** Runs what an operation does. Rejects with `log-unavailable` once closing has begun. */
  run<T>(operation: string, work: () => T | Promise<T>): Promise<T>
  /** Lets what is under way end, then releases. Idempotent: every call resolves when that is done. */
  close(): Promise<void>
}

/** What every log's `close` promises, written once. */
export function createLifetime(release: () => void | Promise<void> = () => {}): Lifetime {
  const underWay = new Set<Promise<unknown>>()
  let closing: Promise<void> | null = null

  async function settleAndRelease(): Promise<void> {
    await Promise.allSettled(underWay)
    await release()
  }

  return {
    async run(operation, work) {
      if (closing) throw logUnavailable(operation, "the log is closed")
      const running = Promise.resolve().then(work)
      underWay.add(running)
      try {
        return await running
      } finally {
        underWay.delete(running)
      }
    },
    close() {
      closing ??= settleAndRelease()
      return closing
    },
  }
}
