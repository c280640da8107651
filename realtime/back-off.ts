import { isRealtimeError, type RealtimeError } from "./errors.ts"

export interface BackOff {
  /** The longest pause after the first failure; it doubles with each further one. */
  firstMs: number
  /** No pause is longer. */
  maxMs: number
}

/** Whoever asks for more than this is asked again all the same: an hour's pause would outlast its reason. */
const longestAskedMs = 60_000

/**
 * How long to wait, in milliseconds, before trying again what has failed `failures` times in a row (1 after
 * the first): as long as the error asks by its `retryAfterMs`, a minute at most; else longer each time,
 * and half of it by chance, so that all who failed together don't come back together.
 */
export function backOffMs({ firstMs, maxMs }: BackOff, failures: number, error?: unknown): number {
  const longestMs = Math.min(maxMs, firstMs * 2 ** (failures - 1))
  const askedMs = isRealtimeError(error) ? error.retryAfterMs : undefined
  return askedMs === undefined ? randomBetween(longestMs / 2, longestMs) : Math.min(askedMs, longestAskedMs)
}

/** For whoever waits for the same as many others: not in step with them. */
export const randomBetween = (from: number, to: number) => from + (to - from) * Math.random()

export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

export interface Attempts {
  backOff: BackOff
  /** Whether anybody waits for it still; asked after each pause. */
  isWanted(): boolean
  /** What fails and passes, each time. */
  onFailed(error: RealtimeError): void
}

/** Tries until it succeeds. Rejects with what doesn't pass, and with the last failure once nobody waits. */
export async function keepTrying<T>(
  attempt: () => Promise<T>,
  { backOff, isWanted, onFailed }: Attempts,
): Promise<T> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await attempt()
    } catch (error) {
      if (!isRealtimeError(error) || !error.retryable) throw error
      onFailed(error)
      await pause(backOffMs(backOff, failures, error))
      if (!isWanted()) throw error
    }
  }
}
