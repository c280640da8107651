import { isRealtimeError, type OnError } from "../errors.ts"
import type { ManagedChannel } from "./channel.ts"
import type { HeadComparison } from "./channel-streams.ts"
import type { RealtimeHttp } from "./http.ts"
import { createLooks, type Looks } from "./looks.ts"

export interface HeadCheckIntervals {
  /**
   * With a connection: how long a message that the provider accepted and lost may stay
   * unnoticed, give or take a quarter.
   */
  connectedMs: number
  /** Without one: the log stands in for the provider meanwhile. */
  interruptedMs: number
}

export interface HeadCheckOptions {
  intervals: HeadCheckIntervals
  http: Pick<RealtimeHttp, "heads">
  channels(): Iterable<ManagedChannel>
  isConnected(): boolean
  onError: OnError
}

/** The server answers for as many at once. */
const maxHeads = 100

/** Compares where the page stands with the heads of the logs, in one request for all its channels. */
export function createHeadCheck({
  intervals,
  http,
  channels,
  isConnected,
  onError,
}: HeadCheckOptions): Looks {
  /** Counts the stops: an answer that was asked for before one says nothing after it. */
  let stops = 0

  async function compare(): Promise<void> {
    const begunAt = stops
    const comparisons = new Map<string, HeadComparison>()
    for (const channel of channels()) {
      const comparison = channel.startComparison()
      if (comparison) comparisons.set(channel.name, comparison)
    }
    const names = [...comparisons.keys()]
    for (let start = 0; start < names.length; start += maxHeads) {
      const heads = await http.heads(names.slice(start, start + maxHeads))
      for (const [name, head] of heads) if (begunAt === stops) comparisons.get(name)?.(head)
      if (begunAt !== stops) return
    }
  }

  const intervalMs = () => (isConnected() ? intervals.connectedMs : intervals.interruptedMs)
  const looks = createLooks(intervalMs, async () => {
    try {
      await compare()
    } catch (error) {
      if (!isRealtimeError(error) || !error.retryable) onError(error, { stage: "compare heads" })
    }
  })

  return {
    ...looks,
    stop() {
      stops += 1
      looks.stop()
    },
  }
}
