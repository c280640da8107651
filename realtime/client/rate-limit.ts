/** A bucket of one second's worth that refills evenly. */
export interface RateLimit {
  /** 0 when this one may pass, else how many milliseconds from now one may. */
  take(): number
}

export function createRateLimit(perSecond: number, now: () => number = () => performance.now()): RateLimit {
  const intervalMs = 1000 / perSecond
  let fullAt = now()
  return {
    take() {
      const at = now()
      const fullNext = Math.max(fullAt, at) + intervalMs
      const waitMs = fullNext - at - 1000
      if (waitMs > 0) return Math.ceil(waitMs)
      fullAt = fullNext
      return 0
    },
  }
}
