import { type BackOff, backOffMs } from "../back-off.ts"
import { isDenial, isPassing } from "../errors.ts"
import { parseStatePage } from "../state.ts"
import { isFollowed } from "./is-followed.ts"
import type { KeyedState, StateVerdict } from "./keyed-state.ts"
import type { Channel, ChannelSource } from "./types.ts"

/** Reads what has to be read of a channel's state: one read at a time, and after a failure not at once. */
export interface StateReader {
  /** What has to be read by the end of a read that is under way is read next. */
  read(): void
  /** Reads without waiting any longer. */
  resume(): void
  /** Waits for nothing. */
  rest(): void
  /** As `rest`; what comes afterwards has failed at nothing yet. */
  stop(): void
}

export interface StateReaderOptions {
  channel: Pick<Channel, "name" | "status" | "report">
  state: Pick<KeyedState, "ask" | "page">
  /** Null while nobody watches. What was asked of another is nothing any more. */
  source(): ChannelSource | null
  /** What was read now would lack what changes until it is heard which keys are watched. */
  isUnheard(): boolean
  act(verdict: StateVerdict): void
}

export const stateBackOff: BackOff = { firstMs: 300, maxMs: 10_000 }

export function createStateReader(options: StateReaderOptions): StateReader {
  const { channel, state, source, isUnheard, act } = options
  let isReading = false
  let failures = 0
  let pausing: ReturnType<typeof setTimeout> | undefined

  async function read(): Promise<void> {
    const from = source()
    if (isReading || pausing || isUnheard() || !from || !isFollowed(channel)) return
    const keys = state.ask()
    if (keys.length === 0) return
    isReading = true
    let verdict: StateVerdict | null = null
    try {
      const page = parseStatePage(await from.post("state", { channel: channel.name, keys }))
      if (source() === from) {
        verdict = state.page(page, keys)
        // One that lags, or whose keys change as they are read, is asked again later.
        failures = verdict.type === "read" && !page.rest ? failures + 1 : 0
        if (failures > 0) pause()
      }
    } catch (error) {
      if (isDenial(error)) from.shutOut(error)
      else if (source() === from) {
        failures += 1
        channel.report(error, { stage: "read the state" })
        // What doesn't pass is asked again with the next look.
        if (isPassing(error)) pause(error)
      }
    }
    isReading = false
    if (verdict) act(verdict)
    else if (source() !== from) void read()
  }

  function pause(error?: unknown): void {
    clearTimeout(pausing)
    pausing = setTimeout(resume, backOffMs(stateBackOff, failures, error))
  }

  function rest(): void {
    clearTimeout(pausing)
    pausing = undefined
  }

  function resume(): void {
    rest()
    void read()
  }

  return {
    read: () => void read(),
    resume,
    rest,
    stop() {
      rest()
      failures = 0
    },
  }
}
