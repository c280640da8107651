import { RealtimeError } from "../errors.ts"
import { withResolvers } from "../with-resolvers.ts"
import type { RateLimit } from "./rate-limit.ts"

export interface SignalOutlet {
  /** Resolves when it has left; rejects with `rate-limited` when a newer one of its event took its place. */
  send(event: string, payload: unknown): Promise<void>
  /** Whatever waits is dropped; what comes later goes out as before. */
  close(): void
}

export interface SignalOutletOptions {
  /** The provider's pace; null while there is no connection that could be overrun. */
  pace(): RateLimit | null
  deliver(event: string, payload: unknown): Promise<void>
}

interface Held {
  payload: unknown
  resolve(sent: Promise<void>): void
  reject(error: RealtimeError): void
}

/**
 * One channel's signals on their way out, no faster than the provider takes them. Of those that must
 * wait, the newest of each event goes.
 */
export function createSignalOutlet({ pace, deliver }: SignalOutletOptions): SignalOutlet {
  const held = new Map<string, Held>()
  let timer: ReturnType<typeof setTimeout> | undefined

  /** What goes next goes in the order in which it was last said. */
  function release(): void {
    timer = undefined
    for (const [event, { payload, resolve }] of held) {
      const waitMs = pace()?.take() ?? 0
      if (waitMs > 0) {
        timer = setTimeout(release, waitMs)
        return
      }
      held.delete(event)
      resolve(deliver(event, payload))
    }
  }

  return {
    async send(event, payload) {
      const waitMs = held.size > 0 ? 0 : (pace()?.take() ?? 0)
      if (held.size === 0 && waitMs === 0) return deliver(event, payload)
      held.get(event)?.reject(superseded())
      held.delete(event)
      const { promise, resolve, reject } = withResolvers<void>()
      held.set(event, { payload, resolve, reject })
      timer ??= setTimeout(release, waitMs)
      return promise
    },
    close() {
      clearTimeout(timer)
      timer = undefined
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
