import type { FailoverCommand, FailoverEvent, FailoverState, FailoverTimes } from "./failover-policy.ts"

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

/**
 * The short policy for a list of one provider: the page uses it. Returns null where `failover-policy.ts` has
 * to decide: there are others to turn to, or the list isn't what it was.
 */
export function nextWithSingleProvider(
  state: FailoverState,
  event: FailoverEvent,
): { state: FailoverState; commands: FailoverCommand[] } | null {
  switch (event.type) {
    case "connect":
      if (state.activeState === "withdrawn") return null
      return { state: { ...state, isStarted: true }, commands: [{ type: "connect" }] }
    case "active-is": {
      const hasOthers = state.keys.length > 1
      return {
        state: { ...state, activeState: event.state },
        commands: [{ type: "show-status", hasOthers }],
      }
    }
    case "list-changed": {
      if (state.isStarted) return null
      const [key = ""] = event.keys
      return {
        state: { ...state, keys: event.keys, active: key },
        commands: key === state.active ? [] : [{ type: "replace", key }],
      }
    }
    default:
      return null
  }
}
