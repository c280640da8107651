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
  /** Resolves after so many milliseconds. Default: or once the outlet is stopped. */
  pause?: ((ms: number) => Promise<void>) | undefined
}

/**
 * Hands what changed in the state to every provider, in each channel no more often than that provider takes
 * it.
 */
export interface StateOutlet {
  add(patches: readonly StatePatch[]): void
  /** Resolves when every provider has what was added until now, or was tried often enough. */
  idle(): Promise<void>
  /** Gives up what is owed. */
  stop(): void
}

/** What a provider is owed of one channel: bounded by keys, however long it takes. */
interface Owed {
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

/** Pauses that can be ended before their time: a provider that asks for a minute holds up no process. */
function createPauses() {
  const ends = new Set<() => void>()
  return {
    pause: (ms: number) =>
      new Promise<void>((resolve) => {
        function end(): void {
          clearTimeout(timer)
          ends.delete(end)
          resolve()
        }
        const timer = setTimeout(end, ms)
        ends.add(end)
      }),
    endAll() {
      for (const end of [...ends]) end()
    },
  }
}

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

function createOutlet(provider: string, publisher: StatePublisher, options: StateOutletOptions) {
  const pauses = createPauses()
  const { onError, waitUntil, limitMs = 60_000, pause = pauses.pause } = options
  const channels = new Map<string, { owed: Owed | null; work: Promise<void> }>()
  let isStopped = false

  function add(patch: StatePatch): void {
    if (isStopped) return
    const known = channels.get(patch.channel)
    if (known) {
      known.owed = owing(known.owed, patch)
      return
    }
    const channel = { owed: owing(null, patch), work: Promise.resolve() }
    channels.set(patch.channel, channel)
    channel.work = run(patch.channel)
    guard(onError, "waitUntil", () => waitUntil?.(channel.work))
  }

  /** For as long as something is owed, and one interval longer: what comes within it waits for its end. */
  async function run(name: string): Promise<void> {
    const channel = channels.get(name) as { owed: Owed | null }
    for (let failures = 0; channel.owed && !isStopped; ) {
      const { owed } = channel
      channel.owed = null
      let waitMs = publisher.intervalMs
      try {
        await withinLimit(limitMs, "publish the state", () => publisher.publish(toPatches(name, owed)))
        failures = 0
      } catch (error) {
        failures += 1
        if (failures >= maxFailures || !isRealtimeError(error) || !error.retryable) {
          onError(error, { stage: `publish state to ${provider}` })
          failures = 0
        } else {
          channel.owed = owing(owed, ...(channel.owed ? toPatches(name, channel.owed) : []))
          waitMs = Math.max(waitMs, backOffMs(backOff, failures, error))
        }
      }
      // Also after one that was given up: it was a request like any other.
      if (waitMs > 0) await pause(waitMs)
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
      pauses.endAll()
    },
  }
}

/** What is owed with more that is newer. Of another life of the state nothing is owed any more. */
function owing(before: Owed | null, ...patches: readonly StatePatch[]): Owed | null {
  let owed = before
  for (const { epoch, from, to, entries } of patches) {
    if (owed?.epoch !== epoch) owed = { epoch, entries: new Map(), ranges: [] }
    for (const entry of entries)
      if ((owed.entries.get(entry.key)?.version ?? 0) < entry.version) owed.entries.set(entry.key, entry)
    const last = owed.ranges.at(-1)
    if (last?.to === from) last.to = to
    else owed.ranges.push({ from, to })
    if (owed.ranges.length > maxRanges) owed.ranges.shift()
  }
  return owed
}

/** A patch for each range, with the entries of its versions; what belongs to none goes with the first. */
function toPatches(channel: string, { epoch, entries, ranges }: Owed): StatePatch[] {
  const left = new Set(entries.values())
  const patches = ranges.map(({ from, to }) => {
    const own = [...left].filter(({ version }) => version > from && version <= to)
    for (const entry of own) left.delete(entry)
    return { channel, epoch, from, to, entries: own.sort((one, other) => one.version - other.version) }
  })
  patches[0]?.entries.unshift(...left)
  return patches
}
