import { RealtimeError } from "../errors.ts"
import { withResolvers } from "../with-resolvers.ts"
import type { RateLimit } from "./rate-limit.ts"

export interface SignalOutlet {
  /**
   * Resolves when it has left. When a newer one of its event took its place it rejects with `rate-limited`,
   * or resolves where the definition says, by `latest`, that the newer one makes it worthless.
   */
  send(event: string, payload: unknown): Promise<void>
  /** Whatever waits is dropped; what comes later goes out as before. */
  close(): void
}

export interface SignalPace {
  /** Of all signals together. */
  limit: RateLimit
  /** Of one event that is sent as `latest`. */
  latestPerSecond: number
}

export interface SignalOutletOptions {
  /** The provider's pace; null while there is no connection that could be overrun. */
  pace(): SignalPace | null
  isLatest(event: string): boolean
  deliver(event: string, payload: unknown): Promise<void>
  /** In milliseconds; a clock that is never set. */
  now?(): number
}

interface Held {
  payload: unknown
  resolve(sent?: Promise<void>): void
  reject(error: RealtimeError): void
}

/**
 * One channel's signals on their way out, no faster than the provider takes them. Of those that must
 * wait, the newest of each event goes.
 */
export function createSignalOutlet({
  pace,
  isLatest,
  deliver,
  now = () => performance.now(),
}: SignalOutletOptions): SignalOutlet {
  const held = new Map<string, Held>()
  /** When one of each event that is sent as `latest` last went. */
  const wentAt = new Map<string, number>()
  /** The first of those that wait does so for the pace of all: what comes later stands behind it. */
  let isLimited = false
  let timer: ReturnType<typeof setTimeout> | undefined
  let dueAt = Number.POSITIVE_INFINITY

  /** 0 when one of this event may go, which counts as gone; else for how many milliseconds it can't. */
  function take(event: string): number {
    const given = pace()
    if (!given) return 0
    if (isLatest(event)) {
      const nextAt = (wentAt.get(event) ?? Number.NEGATIVE_INFINITY) + 1_000 / given.latestPerSecond
      const waitMs = Math.ceil(nextAt - now())
      if (waitMs > 0) return waitMs
    }
    const waitMs = given.limit.take()
    isLimited = waitMs > 0
    if (waitMs === 0) wentAt.set(event, now())
    return waitMs
  }

  function releaseIn(waitMs: number): void {
    const at = now() + waitMs
    if (at >= dueAt) return
    clearTimeout(timer)
    dueAt = at
    timer = setTimeout(release, waitMs)
  }

  /** What goes next goes in the order in which it was last said. */
  function release(): void {
    dueAt = Number.POSITIVE_INFINITY
    isLimited = false
    for (const [event, { payload, resolve }] of held) {
      const waitMs = take(event)
      if (waitMs > 0) releaseIn(waitMs)
      if (isLimited) return
      if (waitMs > 0) continue
      held.delete(event)
      resolve(deliver(event, payload))
    }
  }

  return {
    async send(event, payload) {
      const before = held.get(event)
      if (!before && !isLimited) {
        const waitMs = take(event)
        if (waitMs === 0) return deliver(event, payload)
        releaseIn(waitMs)
      }
      if (isLatest(event)) before?.resolve()
      else before?.reject(superseded())
      held.delete(event)
      const { promise, resolve, reject } = withResolvers<void>()
      held.set(event, { payload, resolve, reject })
      return promise
    },
    close() {
      clearTimeout(timer)
      dueAt = Number.POSITIVE_INFINITY
      isLimited = false
      for (const { reject } of held.values()) reject(closed())
      held.clear()
    },
  }
}

const superseded = () =>
  new RealtimeError("rate-limited", {
    message: "unable to send so many signals; a newer one took its place",
  })

const closed = () =>
  new RealtimeError("not-connected", { message: "unable to send; the client was closed", retryable: false })
