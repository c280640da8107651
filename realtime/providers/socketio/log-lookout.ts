import type { OnError } from "../../errors.ts"
import type { RealtimeCore } from "../../server/types.ts"
import type { Broadcaster } from "./broadcaster.ts"

/** The most channels whose heads are asked for at once. */
const maxHeads = 500

export interface LogLookoutOptions {
  broadcaster: Broadcaster
  core: RealtimeCore
  /** How often the log is looked at in doubt. */
  intervalMs: number
  onError: OnError
}

/** Looks at the log for what came to no socket here: while other gateways may be publishing unheard. */
export function createLogLookout({ broadcaster, core, intervalMs, onError }: LogLookoutOptions) {
  let isLooking = false

  /**
   * The newest message of each channel that went on unheard: it shows the pages
   * their gap, and they read the rest.
   */
  async function look(): Promise<void> {
    const places = [...broadcaster.places()]
    for (let start = 0; start < places.length; start += maxHeads) {
      const asked = places.slice(start, start + maxHeads)
      const heads = await core.heads(asked.map(([channel]) => channel))
      for (const [index, [channel, place]] of asked.entries()) {
        const seq = heads[index]?.seq ?? 0
        if (seq > place) broadcaster.deliverFromLog((await core.readAfter(channel, seq - 1, 1)).messages)
      }
    }
  }

  const timer = setInterval(() => {
    if (isLooking || !broadcaster.isInDoubt) return
    isLooking = true
    look()
      .catch((error) => onError(error, { stage: "look at the log in place of the other gateways" }))
      .finally(() => {
        isLooking = false
      })
  }, intervalMs).unref()

  return {
    /** As `lag` of `AttachedGateway`. */
    async lag(): Promise<number> {
      // Where nothing was delivered yet there is nothing to compare.
      const places = [...broadcaster.places()].filter(([, place]) => place > 0).slice(0, maxHeads)
      const heads = await core.heads(places.map(([channel]) => channel))
      return Math.max(0, ...places.map(([, place], index) => (heads[index]?.seq ?? 0) - place))
    },
    stop: () => clearInterval(timer),
  }
}
