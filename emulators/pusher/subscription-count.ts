import type { Clock } from "./clock.ts"
import type { PusherLimits } from "./limits.ts"

/** When the count of a channel is told (pusher/README.md §3.5): at each change, or in a big channel now and then. */
export interface SubscriptionCountThrottle {
  changed(channel: string, count: number): void
  forget(channel: string): void
  stop(): void
}

export function createSubscriptionCountThrottle(
  clock: Clock,
  limits: PusherLimits,
  tell: (channel: string) => void,
): SubscriptionCountThrottle {
  /** Channels that have told lately, and whether they changed again since. */
  const resting = new Map<string, { changed: boolean; cancel: () => void }>()

  function rest(channel: string): void {
    const cancel = clock.schedule(() => {
      const changedSince = resting.get(channel)?.changed
      resting.delete(channel)
      if (!changedSince) return
      tell(channel)
      rest(channel)
    }, limits.subscriptionCountIntervalMs)
    resting.set(channel, { changed: false, cancel })
  }

  function forget(channel: string): void {
    resting.get(channel)?.cancel()
    resting.delete(channel)
  }

  return {
    changed(channel, count) {
      if (count <= limits.subscriptionCountThreshold) {
        forget(channel)
        return tell(channel)
      }
      const pause = resting.get(channel)
      if (pause) {
        pause.changed = true
        return
      }
      tell(channel)
      rest(channel)
    },
    forget,
    stop() {
      for (const channel of [...resting.keys()]) forget(channel)
    },
  }
}
