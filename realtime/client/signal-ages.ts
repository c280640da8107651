import type { Signal } from "../message.ts"

/**
 * Older ones are of no worth to anybody: what a page that slept finds waiting
 * for it, or a service kept for it.
 */
export const signalLifeMs = 10_000
/** How far two servers' clocks may be apart. */
export const clockSkewMs = 60_000
/**
 * A clock that is set back is believed again after a while: so much of the time that it is heard
 * counts for it. Of a silence no more than of `signalLifeMs` does, or what a service kept
 * meanwhile would pass for its new time.
 */
const drift = 0.1
const maxClocks = 100

export interface SignalAgesOptions {
  /** The server's clock; null while it isn't known. */
  serverNow(): number | null
  /** This page's time, which no clock changes. */
  now?(): number
}

/** A client's knowledge of the clocks that signals are dated by. */
export interface SignalAges {
  isTooOld(signal: Pick<Signal, "at" | "clock">): boolean
}

/**
 * Judges signals by the clock that dated them, since no two clocks agree: too old is what took `signalLifeMs`
 * longer than the quickest of the same clock, and a tenth of that more after a silence. Of a clock that is
 * heard for the first time nothing is known but that it isn't more than `clockSkewMs` off.
 */
export function createSignalAges({
  serverNow,
  now = () => performance.now(),
}: SignalAgesOptions): SignalAges {
  /**
   * By clock: how much later than its date the quickest signal came, by this page's time. The
   * least recent is forgotten first.
   */
  const clocks = new Map<string, { delay: number; readAt: number }>()

  function isLate({ at, clock }: Pick<Signal, "at" | "clock">): boolean {
    if (clock === undefined) return false
    const readAt = now()
    const delay = readAt - at
    const known = clocks.get(clock)
    const quickest = known ? known.delay + Math.min(readAt - known.readAt, signalLifeMs) * drift : delay
    clocks.delete(clock)
    clocks.set(clock, { delay: Math.min(delay, quickest), readAt })
    if (clocks.size > maxClocks) clocks.delete(clocks.keys().next().value as string)
    return delay - quickest > signalLifeMs
  }

  return {
    isTooOld(signal) {
      const server = serverNow()
      const isBeyondDoubt = server !== null && server - signal.at > signalLifeMs + clockSkewMs
      return isLate(signal) || isBeyondDoubt
    },
  }
}
