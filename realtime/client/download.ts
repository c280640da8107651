import { isRealtimeError, type OnError, RealtimeError } from "../errors.ts"
import { guard } from "../guard.ts"
import { withinLimit } from "../within-limit.ts"

export interface DownloadOptions<Part> {
  /** What is told of a failure: it completes "unable to …". */
  stage: string
  provider?: string
  /** Called on the first `start`, again after a failure. A `RealtimeError` of it ends the attempts. */
  load(): Promise<Part>
  /** How long one attempt may take. Default 15 s. */
  timeoutMs?: number | undefined
  /** Whether anybody waits for it still: a failure is nobody's news otherwise, and isn't tried again. */
  isWanted(): boolean
  /** May be called twice: an attempt that took too long can still succeed, after the next one. */
  onLoaded(part: Part): void
  /** Each attempt that failed; it is tried again unless `isFinal`. */
  onFailed?(error: RealtimeError, isFinal: boolean): void
  onError: OnError
}

const retryMs = 3_000

/**
 * Code that a page downloads when it first needs it, so that what it loads at first is less. A download that
 * fails or doesn't come is said once and begun again until there is one.
 */
export function createDownload<Part>(options: DownloadOptions<Part>) {
  const { stage, provider, load, timeoutMs = 15_000, isWanted, onLoaded, onFailed, onError } = options
  let isLoading = false
  let isTold = false
  let timer: ReturnType<typeof setTimeout> | undefined

  async function attempt(): Promise<void> {
    isLoading = true
    const loading = load()
    const arrived = (part: Part) => {
      stop()
      guard(onError, stage, () => onLoaded(part))
    }
    loading.then(arrived, () => {})
    try {
      await withinLimit(timeoutMs, stage, () => loading)
    } catch (cause) {
      isLoading = false
      if (!isWanted()) return
      const isLate = isRealtimeError(cause) && cause.code === "timeout"
      // The code is there, and refuses what it was given: another download changes nothing.
      if (isRealtimeError(cause) && !isLate) return onFailed?.(cause, true)
      const reason = isLate ? `it didn't come in ${timeoutMs} ms` : "the download failed"
      const message = `unable to ${stage}; ${reason}`
      const error = new RealtimeError(isLate ? "timeout" : "not-connected", { provider, message, cause })
      if (!isTold) onError(error, { stage })
      isTold = true
      onFailed?.(error, false)
      timer = setTimeout(start, retryMs)
    }
  }

  /** Begins one, at once, unless one is under way. */
  function start(): void {
    stop()
    if (isWanted() && !isLoading) void attempt()
  }

  /** Begins no other. */
  const stop = () => clearTimeout(timer)

  return { start, stop }
}
