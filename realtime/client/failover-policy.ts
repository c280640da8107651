import type { ConnectionState } from "../transport.ts"

/**
 * Which provider is used, and which one is opened beside it. Pure: no transport, no clock. Tell it what
 * happened; do what it commands, in order.
 *
 *                     active without a connection for `patienceMs`, or failed ──▶ the next in turn
 *                     active not the preferred one, for `returnMs`            ──▶ the preferred one
 *                     active off the list, or the list new to a failed one    ──▶ the preferred one
 *                                               │
 *                       active alone ───────────┴── raise ──▶ active + standby
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
  isWaiting: false,
  vain: 0,
  returnMs,
})

export function nextFailover(
  before: FailoverState,
  event: FailoverEvent,
  times: FailoverTimes,
): { state: FailoverState; commands: FailoverCommand[] } {
  const step: Step = { ...before, times, commands: [] }
  const transition = transitions[event.type] as (step: Step, event: FailoverEvent) => void
  transition(step, event)
  const { times: _, commands, ...state } = step
  return { state, commands }
}

/** The state while it changes by one event, and what is commanded for it. */
type Step = { -readonly [Name in keyof FailoverState]: FailoverState[Name] } & {
  readonly times: FailoverTimes
  readonly commands: FailoverCommand[]
}

type EventOf<Type extends FailoverEvent["type"]> = Extract<FailoverEvent, { type: Type }>

const transitions: { [Type in FailoverEvent["type"]]: (step: Step, event: EventOf<Type>) => void } = {
  connect(step) {
    step.refused = []
    if (!isConnected(step)) waitForActive(step)
    if (step.activeState === "withdrawn") raise(step, step.active)
    else step.commands.push({ type: "connect" })
  },

  "active-is"(step, { state }) {
    step.activeState = state
    if (isFailed(step)) refuse(step, step.active)
    showStatus(step)
    if (isConnected(step)) {
      stopWaitingForActive(step)
      dropUnwanted(step)
      returnLater(step)
    } else if (isFailed(step)) raiseNext(step)
    else waitForActive(step)
  },

  "standby-failed"(step, { isOffline }) {
    if (step.standby) refuse(step, step.standby)
    abandon(step, isOffline)
  },

  "standby-ready"(step) {
    if (!step.standby) return
    step.commands.push({ type: "stop-waiting", of: "standby" })
    stopWaitingForActive(step)
    step.active = step.standby
    step.activeState = "connected"
    step.standby = null
    step.vain = 0
    step.refused = []
    if (rankOf(step, step.active) === 0) step.returnMs = step.times.returnMs
    step.commands.push({ type: "promote" })
    showStatus(step)
    returnLater(step)
  },

  "time-over"(step, event) {
    if (event.of === "standby") abandon(step, event.isOffline)
    else if (event.of === "active") {
      step.isWaiting = false
      waitForActive(step)
      // Without a network the others would fail as well, and their code would be downloaded for nothing.
      if (!event.isOffline) raiseNext(step)
    } else if (!step.standby && isConnected(step) && rankOf(step, step.active) !== 0)
      raise(step, step.keys[0] as string)
  },

  "list-changed"(step, { keys }) {
    step.keys = keys
    step.refused = []
    dropUnwanted(step)
    // Nobody publishes there any more, or it won't try again by itself.
    const isNoGood = rankOf(step, step.active) < 0 || isFailed(step)
    if (isNoGood && !step.standby) raise(step, step.keys[0] as string)
    else returnLater(step)
  },
}

const isConnected = ({ activeState }: FailoverState) => activeState === "connected"
const isFailed = ({ activeState }: FailoverState) => activeState === "failed" || activeState === "withdrawn"
/** Its place in the list; -1 when it isn't listed any more. */
const rankOf = ({ keys }: FailoverState, key: string) => keys.indexOf(key)
/** Who could take over: listed, not in use, and not known to fail. */
const candidatesOf = ({ keys, active, refused }: FailoverState) =>
  keys.filter((key) => key !== active && !refused.includes(key))

function refuse(step: Step, key: string): void {
  if (!step.refused.includes(key)) step.refused = [...step.refused, key]
}

function waitForActive(step: Step): void {
  if (!step.isWaiting) step.commands.push({ type: "wait", of: "active", ms: step.times.patienceMs })
  step.isWaiting = true
}

function stopWaitingForActive(step: Step): void {
  if (step.isWaiting) step.commands.push({ type: "stop-waiting", of: "active" })
  step.isWaiting = false
}

function returnLater({ commands, returnMs }: Step): void {
  commands.push({ type: "wait", of: "return", ms: returnMs })
}

function showStatus(step: Step): void {
  step.commands.push({ type: "show-status", hasOthers: candidatesOf(step).length > 0 })
}

function drop(step: Step): void {
  if (step.standby) step.commands.push({ type: "stop-waiting", of: "standby" }, { type: "drop" })
  step.standby = null
}

function raise(step: Step, key: string): void {
  drop(step)
  // Each round gives them more time: where the network is slow, none would
  // ever be ready in that of the first.
  const rounds = Math.floor(step.vain / Math.max(1, step.keys.length - 1))
  const ms = step.times.patienceMs * Math.min(maxPatience, 2 ** rounds)
  step.standby = key
  step.commands.push({ type: "wait", of: "standby", ms }, { type: "raise", key })
}

/** The next in turn after this place in the list. */
function raiseNext(step: Step, after = rankOf(step, step.active)): void {
  if (step.standby) return
  const others = candidatesOf(step)
  const next = others.find((key) => rankOf(step, key) > after) ?? others[0]
  if (next) raise(step, next)
}

/** While the active one works and is listed, only a better one is wanted. */
function dropUnwanted(step: Step): void {
  if (!step.standby) return
  const rank = rankOf(step, step.standby)
  const activeRank = rankOf(step, step.active)
  if (rank < 0 || (isConnected(step) && activeRank >= 0 && rank >= activeRank)) drop(step)
}

/** It didn't work out: on to the next one if the active one is no good, else later again. */
function abandon(step: Step, isOffline: boolean): void {
  if (!step.standby) return
  const rank = rankOf(step, step.standby)
  const activeRank = rankOf(step, step.active)
  drop(step)
  step.vain = isConnected(step) ? 0 : step.vain + 1
  showStatus(step)
  if (!isConnected(step) || activeRank < 0) {
    if (isOffline) waitForActive(step)
    else raiseNext(step, rank)
    return
  }
  const better = step.keys[rank + 1]
  if (better && rank + 1 < activeRank) raise(step, better)
  else {
    step.returnMs = Math.min(maxReturnMs, step.returnMs * 2)
    returnLater(step)
  }
}
