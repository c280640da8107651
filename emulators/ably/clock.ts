/** Where the core gets its time. Tests about delay hand in `createManualClock()`; everything else runs on `systemClock`. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Calls back once after `delayMs`; returns how to cancel it. */
  schedule(callback: () => void, delayMs: number): () => void
}

/** The machine's own time. */
export const systemClock: Clock = {
  now: () => Date.now(),
  schedule(callback, delayMs) {
    // A longer delay overflows Node's timer and would fire at once.
    const timer = setTimeout(callback, Math.min(delayMs, 2 ** 31 - 1))
    timer.unref?.()
    return () => clearTimeout(timer)
  },
}

/** Time that stands still until a test moves it. */
export interface ManualClock extends Clock {
  /** Moves time forward, running what falls due on the way, in order. */
  advance(byMs: number): void
}

/** A clock that begins at `startMs` and stands still. */
export function createManualClock(startMs = 1_700_000_000_000): ManualClock {
  let now = startMs
  let order = 0
  let timers: { at: number; order: number; callback: () => void }[] = []

  return {
    now: () => now,
    schedule(callback, delayMs) {
      const timer = { at: now + Math.max(0, delayMs), order: order++, callback }
      timers.push(timer)
      return () => {
        timers = timers.filter((other) => other !== timer)
      }
    },
    advance(byMs) {
      const end = now + byMs
      for (;;) {
        const due = timers
          .filter((timer) => timer.at <= end)
          .sort((a, b) => a.at - b.at || a.order - b.order)[0]
        if (!due) break
        timers = timers.filter((timer) => timer !== due)
        now = due.at
        due.callback()
      }
      now = end
    },
  }
}

export interface SkewedClock extends Clock {
  /** How far the service's time of day is ahead of the clock beneath it; delays are unaffected. */
  skewMs: number
}

export function createSkewedClock(clock: Clock): SkewedClock {
  const skewed: SkewedClock = {
    skewMs: 0,
    now: () => clock.now() + skewed.skewMs,
    schedule: clock.schedule,
  }
  return skewed
}
