import { RealtimeError } from "./errors.ts"
import { withResolvers } from "./with-resolvers.ts"

/**
 * Waits for work no longer than `limitMs`, or until `signal` is aborted, and then aborts the signal that the
 * work was given. Nothing else ends such a wait in time: a network that swallows packets is noticed after
 * minutes, and what never answers not at all. Rejects with `timeout`, or with the reason of `signal`, or with
 * that of the work. `doing` completes "unable to …".
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
