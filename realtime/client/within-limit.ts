import { isRealtimeError, RealtimeError } from "../errors.ts"
import { withResolvers } from "../with-resolvers.ts"

/**
 * Browser: waits for what takes a signal no longer than `limitMs`, or until `signal` says so, and then ends it: a browser by itself waits
 * for minutes for what a network has swallowed, and for ever for what it never answers. Rejects with `timeout`, or with the signal's
 * reason, or with that of the work. `doing` completes «unable to …».
 */
export async function withinLimit<T>(
  limitMs: number,
  doing: string,
  work: (signal: AbortSignal) => Promise<T>,
  signal?: AbortSignal | null,
): Promise<T> {
  const { promise: end, reject } = withResolvers<never>()
  const controller = new AbortController()
  function stop(reason: unknown): void {
    reject(reason)
    controller.abort(reason)
  }
  const abort = () => stop(signal?.reason)
  const timer = setTimeout(() => {
    const message = `unable to ${doing}; there was no answer in ${limitMs} ms`
    stop(new RealtimeError("timeout", { message }))
  }, limitMs)
  signal?.addEventListener("abort", abort)
  if (signal?.aborted) abort()
  try {
    return await Promise.race([work(controller.signal), end])
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener("abort", abort)
  }
}

/** Browser: the same of a request, whose own failure is the network's: `not-connected`. */
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
