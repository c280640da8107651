import type { Signal } from "../message.ts"

/** Older ones are of no worth to anybody: what a page that slept finds waiting for it. */
export const signalLifeMs = 10_000
const maxRemembered = 500

/**
 * Says of each signal whether it is to be shown: for the first time, and not too late. `serverNow` is the server's clock, which
 * signals are dated by; while it isn't known (null), none is too old.
 */
export function createSignalInbox(serverNow: () => number | null): (signal: Signal) => boolean {
  const seen = new Set<string>()
  return ({ id, at }) => {
    const now = serverNow()
    if (seen.has(id) || (now !== null && now - at > signalLifeMs)) return false
    seen.add(id)
    if (seen.size > maxRemembered) seen.delete(seen.values().next().value as string)
    return true
  }
}
