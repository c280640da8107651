import type { Signal } from "../message.ts"

/** Older ones are of no worth to anybody: what a page that slept finds waiting for it. */
export const signalLifeMs = 10_000
const maxRemembered = 500

export interface SignalInboxOptions {
  /** What the page calls itself; what it sent itself isn't shown to it. */
  page: string
  /** The server's clock, which signals are dated by; while it isn't known (null), none is too old. */
  serverNow(): number | null
}

/**
 * One channel's signals on their way in. Says of each whether it is to be shown: somebody else's, for the first time, not too late, and
 * not when a newer one of its page and event was shown before. Which is newer the page itself says: servers' clocks differ.
 */
export function createSignalInbox({ page, serverNow }: SignalInboxOptions): (signal: Signal) => boolean {
  /** By page and event; what says nothing of its page, by its id. The least recent is forgotten first. */
  const newest = new Map<string, number>()
  return ({ id, event, from, at, origin }) => {
    if (origin?.page === page) return false
    const now = serverNow()
    if (now !== null && now - at > signalLifeMs) return false
    const key = origin ? JSON.stringify([from.id, origin.page, event]) : id
    const n = origin?.n ?? 0
    if (n <= (newest.get(key) ?? -1)) return false
    newest.delete(key)
    newest.set(key, n)
    if (newest.size > maxRemembered) newest.delete(newest.keys().next().value as string)
    return true
  }
}
