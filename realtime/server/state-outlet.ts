import { setTimeout as delay } from "node:timers/promises"
import { backOffMs } from "../back-off.ts"
import { isRealtimeError, type OnError } from "../errors.ts"
import { guard } from "../guard.ts"
import type { RealtimePublisher, StatePublisher } from "../publisher.ts"
import type { StateEntry, StatePatch } from "../state.ts"
import { withinLimit } from "../within-limit.ts"

export interface StateOutletOptions {
  publishers: readonly RealtimePublisher[]
  onError: OnError
  /** As in `RealtimeOptions`. */
  waitUntil?: ((work: Promise<unknown>) => void) | undefined
  /** How long one delivery to a provider may take, of as many requests as it is. Default 60 s. */
  limitMs?: number | undefined
  /** Resolves after so many milliseconds, or once `stopped` is aborted. */
  pause?: ((ms: number, stopped: AbortSignal) => Promise<void>) | undefined
}

/**
 * Hands what changed in the state to every provider, in each channel no more often than that provider takes
 * it.
 */
export interface StateOutlet {
  add(patches: readonly StatePatch[]): void
  /** Resolves when every provider has what was added until now, or was tried often enough. */
  idle(): Promise<void>
  /** Gives up what is unsent. */
  stop(): void
}

/** What a provider has yet to be sent of one channel: bounded by keys, however long it takes. */
interface Unsent {
  epoch: string
  entries: Map<string, StateEntry>
  /** Which versions they stand for; several where other servers write as well. */
  ranges: { from: number; to: number }[]
}

const backOff = { firstMs: 200, maxMs: 5_000 }
/** So many failures in a row: readers find what they miss by themselves. */
const maxFailures = 5
/** What is forgotten is a hole, by which readers find it. */
const maxRanges = 32

/** Once it is stopped, the pause is over. */
const pauseFor = (ms: number, stopped: AbortSignal) =>
  delay(ms, undefined, { signal: stopped }).catch(() => {})

export function createStateOutlet(options: StateOutletOptions): StateOutlet {
  const outlets = options.publishers.flatMap(({ provider, state }) =>
    state ? [createOutlet(provider, state, options)] : [],
  )
  return {
    add(patches) {
      for (const { add } of outlets) for (const patch of patches) add(patch)
    },
    async idle() {
      await Promise.all(outlets.map(({ idle }) => idle()))
    },
    stop() {
      for (const { stop } of outlets) stop()
    },
  }
}

interface OutletChannel {
  unsent: Unsent | null
  /** One of each channel: a signal warns of more than ten who listen to it. */
  stopping: AbortController
  work: Promise<void>
}

function createOutlet(provider: string, publisher: StatePublisher, options: StateOutletOptions) {
  const { onError, waitUntil, limitMs = 60_000, pause = pauseFor } = options
  const channels = new Map<string, OutletChannel>()
  let isStopped = false

  function add(patch: StatePatch): void {
    if (isStopped) return
    const known = channels.get(patch.channel)
    if (known) {
      known.unsent = withNewer(known.unsent, patch)
      return
    }
    const channel = {
      ...{ unsent: withNewer(null, patch), stopping: new AbortController(), work: Promise.resolve() },
    }
    channels.set(patch.channel, channel)
    channel.work = run(patch.channel, channel)
    guard(onError, "waitUntil", () => waitUntil?.(channel.work))
  }

  /** For as long as something is unsent, and one interval longer: what comes within it waits for its end. */
  async function run(name: string, channel: OutletChannel): Promise<void> {
    const { signal } = channel.stopping
    for (let failures = 0; channel.unsent && !isStopped; ) {
      const { unsent } = channel
      channel.unsent = null
      let waitMs = publisher.intervalMs
      try {
        const publish = () => publisher.publish(toPatches(name, unsent))
        await withinLimit(limitMs, "publish the state", publish, signal)
        failures = 0
      } catch (error) {
        if (isStopped) break
        failures += 1
        if (failures >= maxFailures || !isRealtimeError(error) || !error.retryable) {
          onError(error, { stage: `publish state to ${provider}` })
          failures = 0
        } else {
          channel.unsent = withNewer(unsent, ...(channel.unsent ? toPatches(name, channel.unsent) : []))
          waitMs = Math.max(waitMs, backOffMs(backOff, failures, error))
        }
      }
      // Also after one that was given up: it was a request like any other.
      if (waitMs > 0) await pause(waitMs, signal)
    }
    channels.delete(name)
  }

  return {
    add,
    async idle() {
      await Promise.all([...channels.values()].map(({ work }) => work))
    },
    stop() {
      isStopped = true
      for (const { stopping } of channels.values()) stopping.abort()
    },
  }
}

/** What is unsent with more that is newer. Of another life of the state nothing is sent any more. */
function withNewer(before: Unsent | null, ...patches: readonly StatePatch[]): Unsent | null {
  let unsent = before
  for (const { epoch, from, to, entries } of patches) {
    if (unsent?.epoch !== epoch) unsent = { epoch, entries: new Map(), ranges: [] }
    for (const entry of entries)
      if ((unsent.entries.get(entry.key)?.version ?? 0) < entry.version) unsent.entries.set(entry.key, entry)
    const last = unsent.ranges.at(-1)
    if (last?.to === from) last.to = to
    else unsent.ranges.push({ from, to })
    if (unsent.ranges.length > maxRanges) unsent.ranges.shift()
  }
  return unsent
}

/** A patch for each range, with the entries of its versions; what belongs to none goes with the first. */
function toPatches(channel: string, { epoch, entries, ranges }: Unsent): StatePatch[] {
  const left = new Set(entries.values())
  const patches = ranges.map(({ from, to }) => {
    const own = [...left].filter(({ version }) => version > from && version <= to)
    for (const entry of own) left.delete(entry)
    return { channel, epoch, from, to, entries: own.sort((one, other) => one.version - other.version) }
  })
  patches[0]?.entries.unshift(...left)
  return patches
}
