import { isRealtimeError, RealtimeError } from "../errors.ts"
import { withinLimit } from "../within-limit.ts"

/** Browser: `withinLimit` for a request, whose own failure is the network's: `not-connected`. */
export async function requestWithin<T>(
  limitMs: number,
  doing: string,
  request: (signal: AbortSignal) => Promise<T>,
  signal?: AbortSignal | null,
): Promise<T> {
  try {
    return await withinLimit(limitMs, doing, request, signal)
  } catch (cause) {
    if (signal?.aborted || isRealtimeError(cause)) throw cause
    throw new RealtimeError("not-connected", { message: `unable to ${doing}; the network failed`, cause })
  }
}
