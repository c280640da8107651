import { backOffMs } from "../back-off.ts"
import { isPassing, isRealtimeError } from "../errors.ts"
import type { WatchedState } from "../state.ts"
import { isFollowed } from "./is-followed.ts"
import { stateBackOff } from "./state-reader.ts"
import type { Channel, ChannelSource } from "./types.ts"

/** Says to the provider which keys are watched, until it is heard. */
export interface StateAnnouncer {
  /** Something was said, and it isn't known yet whether it was heard. */
  readonly isBusy: boolean
  announce(): void
  /** Waits for nothing. */
  rest(): void
}

export interface StateAnnouncerOptions {
  channel: Pick<Channel, "status" | "report">
  source(): ChannelSource | null
  wanted(): WatchedState
  /**
   * It was heard, or not. `isLate`: it wasn't the last time, and of what has been read since nobody has told
   * what became.
   */
  settled(isLate: boolean): void
}

export function createStateAnnouncer(options: StateAnnouncerOptions): StateAnnouncer {
  const { channel, source, wanted, settled } = options
  let underWay = 0
  let pausing: ReturnType<typeof setTimeout> | undefined
  /** How often in a row it wasn't heard. */
  let unheard = 0

  async function announce(): Promise<void> {
    clearTimeout(pausing)
    underWay += 1
    let isLate = false
    try {
      await source()?.watch(wanted())
      isLate = unheard > 0
      unheard = 0
    } catch (error) {
      // Without a connection it is said again with the next one.
      if (!isRealtimeError(error) || error.code !== "not-connected") {
        unheard += 1
        channel.report(error, { stage: "watch the state" })
        if (source() && isFollowed(channel) && isPassing(error))
          pausing = setTimeout(() => void announce(), backOffMs(stateBackOff, unheard, error))
      }
    }
    underWay -= 1
    settled(isLate)
  }

  return {
    get isBusy() {
      return underWay > 0
    },
    announce: () => void announce(),
    rest: () => clearTimeout(pausing),
  }
}
