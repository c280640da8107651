import type { Signal } from "../message.ts"
import type { SignalAges } from "./signal-ages.ts"

const maxRemembered = 500

export interface SignalInboxOptions {
  /** What the page calls itself; what it sent itself isn't shown to it. */
  page: string
  ages: SignalAges
}

/**
 * One channel's signals on their way in. Says of each whether it is to be shown: somebody else's, for the
 * first time, not too late, and not when a newer one of its page and event was shown before. Which is newer
 * the page itself says: servers' clocks differ.
 */
export function createSignalInbox({ page, ages }: SignalInboxOptions): (signal: Signal) => boolean {
  /** By page and event; what says nothing of its page, by its id. The least recent is forgotten first. */
  const newest = new Map<string, number>()
  return (signal) => {
    const { id, event, from, origin } = signal
    if (origin?.page === page || ages.isTooOld(signal)) return false
    const key = origin ? JSON.stringify([from.id, origin.page, event]) : id
    const n = origin?.n ?? 0
    if (n <= (newest.get(key) ?? -1)) return false
    newest.delete(key)
    newest.set(key, n)
    if (newest.size > maxRemembered) newest.delete(newest.keys().next().value as string)
    return true
  }
}
