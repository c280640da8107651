import type { ConnectionState } from "../transport.ts"

/**
 * Which provider is used, and which one is opened beside it. Pure: no transport, no clock. Tell it what
 * happened; do what it commands, in order.
 *
 *                     active without a connection for `patienceMs`, or failed ──▶ the next in turn
 *                     active not the preferred one, for `returnMs`            ──▶ the preferred one
 *                     active off the list, or the list new to a failed one    ──▶ the preferred one
 *                                               │
 *     idle ──connect──▶ active alone ───────────┴── raise ──▶ active + standby
 *                           ▲  ▲                                  │     │
 *                           │  └──── failed, or not ready in ─────┘   ready
 *                           │        its time: drop (and on to          │
 *                           │        the next while active is no good)  │
 *                           └──────── promote: the standby is active ◀──┘
 *
 * The standby takes over once it carries every channel: make before break. Who failed is left out until one
 * took over, the list changed, or somebody asked for `connect`.
 */
export interface FailoverState {
  /** The providers' keys in order of preference. */
  readonly keys: readonly string[]
  readonly active: string
  readonly activeState: LinkState
  /** The one that is opened beside the active one, to take over. */
  readonly standby: string | null
  /** They failed: they won't try again by themselves. */
  readonly refused: readonly string[]
  readonly isStarted: boolean
  /** The time that the active one has to get a connection runs. */
  readonly isWaiting: boolean
  /**
   * Attempts at a standby that came to nothing, in a row, since one took over
   * or the active one was connected.
   */
  readonly vain: number
  /** How long after a move the preferred one is tried again. */
  readonly returnMs: number
}

/** Withdrawn: the server doesn't know this provider any more, so connecting it again won't help. */
export type LinkState = Exclude<ConnectionState, "closed"> | "withdrawn"

export type FailoverEvent =
  /** The application wants a connection, or wants it at once. */
  | { type: "connect" }
  | { type: "active-is"; state: LinkState }
  | { type: "standby-failed"; isOffline: boolean }
  /** The standby is connected, and every channel was accepted or refused there. */
  | { type: "standby-ready" }
  | { type: "time-over"; of: "active" | "standby"; isOffline: boolean }
  | { type: "time-over"; of: "return" }
  | { type: "list-changed"; keys: readonly string[] }

export type FailoverCommand =
  /** Open this one as the standby, and connect it. */
  | { type: "raise"; key: string }
  /** Close the standby. */
  | { type: "drop" }
  /** The standby is the active one from now on: tell the client, close the other. */
  | { type: "promote" }
  /** Nothing has been connected yet: this one is the active one instead. */
  | { type: "replace"; key: string }
  | { type: "connect" }
  /** The status of the active one is the client's; while there are others, a failure isn't the end. */
  | { type: "show-status"; hasOthers: boolean }
  /** Come back with `time-over`; a time that runs already begins anew. */
  | { type: "wait"; of: "active" | "standby" | "return"; ms: number }
  | { type: "stop-waiting"; of: "active" | "standby" }

export interface FailoverTimes {
  patienceMs: number
  returnMs: number
}

/** The longest pause before the preferred provider is tried again. */
const maxReturnMs = 10 * 60_000
/** How many times its first patience a standby is given in the end. */
const maxPatience = 8

export const beginFailover = (keys: readonly string[], { returnMs }: FailoverTimes): FailoverState => ({
  keys,
  active: keys[0] as string,
  activeState: "connecting",
  standby: null,
  refused: [],
  isStarted: false,
  isWaiting: false,
  vain: 0,
  returnMs,
})

export function nextFailover(
  before: FailoverState,
  event: FailoverEvent,
  times: FailoverTimes,
): { state: FailoverState; commands: FailoverCommand[] } {
  let state = before
  const commands: FailoverCommand[] = []
  const set = (change: Partial<FailoverState>) => {
    state = { ...state, ...change }
  }

  /** Its place in the list; -1 when it isn't listed any more. */
  const rankOf = (key: string) => state.keys.indexOf(key)
  const isConnected = () => state.activeState === "connected"
  const isFailed = () => state.activeState === "failed" || state.activeState === "withdrawn"
  const isCandidate = (key: string) => key !== state.active && !state.refused.includes(key)

  function waitForActive(): void {
    if (!state.isWaiting) commands.push({ type: "wait", of: "active", ms: times.patienceMs })
    set({ isWaiting: true })
  }

  function stopWaitingForActive(): void {
    if (state.isWaiting) commands.push({ type: "stop-waiting", of: "active" })
    set({ isWaiting: false })
  }

  function refuse(key: string): void {
    if (!state.refused.includes(key)) set({ refused: [...state.refused, key] })
  }

  function showStatus(): void {
    commands.push({ type: "show-status", hasOthers: state.keys.some(isCandidate) })
  }

  function drop(): void {
    if (state.standby !== null) commands.push({ type: "stop-waiting", of: "standby" }, { type: "drop" })
    set({ standby: null })
  }

  function raise(key: string): void {
    drop()
    // Each round gives them more time: where the network is slow, none would
    // ever be ready in that of the first.
    const rounds = Math.floor(state.vain / Math.max(1, state.keys.length - 1))
    const ms = times.patienceMs * Math.min(maxPatience, 2 ** rounds)
    set({ standby: key })
    commands.push({ type: "wait", of: "standby", ms }, { type: "raise", key })
  }

  /** The next in turn after this place in the list. */
  function raiseNext(after = rankOf(state.active)): void {
    if (state.standby !== null) return
    const { length } = state.keys
    const inTurn = state.keys.map((_, step) => state.keys[(after + 1 + step) % length] as string)
    const next = inTurn.find(isCandidate)
    if (next !== undefined) raise(next)
  }

  /** While the active one works and is listed, only a better one is wanted. */
  function dropUnwanted(): void {
    if (state.standby === null) return
    const rank = rankOf(state.standby)
    const activeRank = rankOf(state.active)
    if (rank < 0 || (isConnected() && activeRank >= 0 && rank >= activeRank)) drop()
  }

  const returnLater = () => commands.push({ type: "wait", of: "return", ms: state.returnMs })

  /** It didn't work out: on to the next one if the active one is no good, else later again. */
  function abandon(isOffline: boolean): void {
    if (state.standby === null) return
    const rank = rankOf(state.standby)
    drop()
    set({ vain: isConnected() ? 0 : state.vain + 1 })
    showStatus()
    const activeRank = rankOf(state.active)
    if (!isConnected() || activeRank < 0) {
      if (isOffline) waitForActive()
      else raiseNext(rank)
      return
    }
    const better = state.keys[rank + 1]
    if (better !== undefined && rank + 1 < activeRank) raise(better)
    else {
      set({ returnMs: Math.min(maxReturnMs, state.returnMs * 2) })
      returnLater()
    }
  }

  switch (event.type) {
    case "connect":
      set({ isStarted: true, refused: [] })
      if (!isConnected()) waitForActive()
      if (state.activeState === "withdrawn") raise(state.active)
      else commands.push({ type: "connect" })
      break
    case "active-is":
      set({ activeState: event.state })
      if (isFailed()) refuse(state.active)
      showStatus()
      if (isConnected()) {
        stopWaitingForActive()
        dropUnwanted()
        returnLater()
      } else if (isFailed()) raiseNext()
      else waitForActive()
      break
    case "standby-failed":
      if (state.standby !== null) refuse(state.standby)
      abandon(event.isOffline)
      break
    case "standby-ready":
      if (state.standby === null) break
      commands.push({ type: "stop-waiting", of: "standby" })
      stopWaitingForActive()
      set({ active: state.standby, activeState: "connected", standby: null, vain: 0, refused: [] })
      if (rankOf(state.active) === 0) set({ returnMs: times.returnMs })
      commands.push({ type: "promote" })
      showStatus()
      returnLater()
      break
    case "time-over":
      if (event.of === "active") {
        set({ isWaiting: false })
        waitForActive()
        // Without a network the others would fail as well, and their code would be downloaded for nothing.
        if (!event.isOffline) raiseNext()
      } else if (event.of === "standby") {
        abandon(event.isOffline)
      } else if (state.standby === null && isConnected() && rankOf(state.active) !== 0) {
        raise(state.keys[0] as string)
      }
      break
    case "list-changed": {
      set({ keys: event.keys, refused: [] })
      dropUnwanted()
      const preferred = event.keys[0] as string
      if (!state.isStarted) {
        if (preferred === state.active) break
        set({ active: preferred })
        commands.push({ type: "replace", key: preferred })
      } else if ((rankOf(state.active) < 0 || isFailed()) && state.standby === null) {
        // Nobody publishes there any more, or it won't try again by itself.
        raise(preferred)
      } else {
        returnLater()
      }
    }
  }
  return { state, commands }
}
