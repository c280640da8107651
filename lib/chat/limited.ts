/**
 * Browser: waits for what takes a signal no longer than `limitMs`, or until `signal` says so, and then ends it: a browser by itself waits
 * for minutes for what a network has swallowed.
 */
export async function limited<T>(
  limitMs: number,
  work: (signal: AbortSignal) => Promise<T>,
  signal?: AbortSignal | null,
): Promise<T> {
  const controller = new AbortController()
  const end = new Promise<never>((_, reject) => {
    controller.signal.addEventListener("abort", () => reject(controller.signal.reason))
  })
  const abort = () => controller.abort(signal?.reason)
  const isLate = () => controller.abort(new DOMException(`no answer in ${limitMs} ms`, "TimeoutError"))
  const timer = setTimeout(isLate, limitMs)
  signal?.addEventListener("abort", abort)
  if (signal?.aborted) abort()
  try {
    return await Promise.race([work(controller.signal), end])
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener("abort", abort)
  }
}
