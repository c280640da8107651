import { isRealtimeError, type RealtimeError } from "../errors.ts"
import type { LogHead } from "../message.ts"
import type { ChannelStatus } from "./types.ts"

/**
 * When a channel takes part in the provider's subscription, which all of its listeners share. Pure: no
 * transport, no clock. Tell it what happened; do what it commands, in order.
 *
 *                                      ┌─── detached ───┐
 *     idle ──first listener, joined──▶ attaching ──▶ attached
 *      ▲                                ▲  │             │
 *      │                                │  └── refused ──┤
 *      │                                │                ▼
 *      │                                └─ let in ── denied ◀─┐  the server says no again, asked because of
 *      │                                                └─────┘  a listener, a `review` or a comparison
 *      └── from each of them: the last listener is gone, or the client is closed
 *
 * A refusal is of its time: who is let in again goes on from where they stand. The server decides, by whether
 * it shows them the log's head; a provider may still let in whom the server doesn't any more.
 */
export interface SubscriptionState {
  readonly status: ChannelStatus
  /** How many listen. */
  readonly users: number
  readonly isJoined: boolean
  /**
   * Whether the server is being asked again; outdated: somebody asked later,
   * and may have been let in meanwhile.
   */
  readonly recheck: "none" | "pending" | "outdated"
}

export type SubscriptionEvent =
  | { type: "used" }
  | { type: "released" }
  /** A task after somebody has stopped listening. */
  | { type: "settled" }
  /** What `join` asked for is there. Where the client isn't open, it isn't. */
  | { type: "joined" }
  | { type: "attached" }
  | { type: "detached" }
  | { type: "denied"; by: "provider" | "server"; error: RealtimeError }
  /** The page is looked at again: a refusal is looked at again too. */
  | { type: "review" }
  /** The answer to `ask`; undefined where there was none. */
  | { type: "answered"; head: LogHead | RealtimeError | undefined }
  /** What a comparison of heads has brought. */
  | { type: "compared"; head: LogHead | RealtimeError }
  | { type: "opened" }
  | { type: "closed" }

export type SubscriptionCommand =
  /** Subscribe at the provider, and come back with `joined`. */
  | { type: "join" }
  /** End the subscription at the provider. */
  | { type: "leave" }
  /** Say to the provider who of the page is present. */
  | { type: "enter-presence" }
  /** Who comes again, or isn't let in any more, isn't shown who was there before. */
  | { type: "forget-presence" }
  | { type: "show"; status: ChannelStatus }
  /** Whoever follows the channel is interrupted. */
  | { type: "interrupt" }
  /** Whoever waits for the channel waits in vain. */
  | { type: "refuse"; error: RealtimeError }
  /** Ask the server for the log's head, and come back with `answered`. */
  | { type: "ask" }
  /**
   * Come back with `settled`: React's StrictMode, hot reload and navigation
   * release and take again in one task.
   */
  | { type: "settle-later" }

export const idleSubscription: SubscriptionState = {
  status: { state: "idle" },
  users: 0,
  isJoined: false,
  recheck: "none",
}

export function nextSubscription(
  before: SubscriptionState,
  event: SubscriptionEvent,
): { state: SubscriptionState; commands: SubscriptionCommand[] } {
  let state = before
  const commands: SubscriptionCommand[] = []
  const set = (change: Partial<SubscriptionState>) => {
    state = { ...state, ...change }
  }

  function show(status: ChannelStatus): void {
    set({ status })
    commands.push({ type: "show", status })
  }

  function join(): void {
    if (!state.isJoined) commands.push({ type: "join" })
  }

  function leave(): void {
    if (!state.isJoined) return
    set({ isJoined: false })
    commands.push({ type: "leave" }, { type: "forget-presence" })
    show({ state: "idle" })
  }

  function ask(): void {
    if (state.recheck === "none") commands.push({ type: "ask" })
    set({ recheck: state.recheck === "none" ? "pending" : "outdated" })
  }

  function reconsider(head: LogHead | RealtimeError | undefined): void {
    const { status } = state
    if (status.state !== "denied") return
    if (head && !isRealtimeError(head)) {
      if (state.isJoined) commands.push({ type: "leave" })
      set({ isJoined: false })
      join()
    } else if (status.error) {
      commands.push({ type: "refuse", error: status.error })
    }
  }

  switch (event.type) {
    case "used":
      set({ users: state.users + 1 })
      if (state.status.state === "denied") ask()
      else join()
      break
    case "released":
      set({ users: state.users - 1 })
      commands.push({ type: "settle-later" })
      break
    case "settled":
      if (state.users === 0) leave()
      break
    case "joined":
      set({ isJoined: true })
      show({ state: "attaching" })
      commands.push({ type: "enter-presence" })
      break
    case "attached":
      show({ state: "attached" })
      break
    case "detached":
      show({ state: "attaching" })
      commands.push({ type: "interrupt" })
      break
    case "denied":
      // The server itself said no, whatever the provider still lets through.
      if (event.by === "server" && state.isJoined) commands.push({ type: "leave" })
      commands.push(
        { type: "interrupt" },
        { type: "refuse", error: event.error },
        { type: "forget-presence" },
      )
      show({ state: "denied", error: event.error })
      break
    case "review":
      if (state.status.state === "denied") ask()
      break
    case "answered": {
      const isOutdated = state.recheck === "outdated"
      set({ recheck: "none" })
      if (isOutdated && (!event.head || isRealtimeError(event.head))) ask()
      else reconsider(event.head)
      break
    }
    case "compared":
      reconsider(event.head)
      break
    case "opened":
      if (state.users > 0) join()
      break
    case "closed":
      // Whoever still listens goes on where they are when it is opened again.
      if (state.isJoined) commands.push({ type: "interrupt" })
      leave()
  }
  return { state, commands }
}
