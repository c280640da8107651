import { randomBetween } from "../back-off.ts"
import {
  beginFailover,
  type FailoverCommand,
  type FailoverEvent,
  type FailoverTimes,
  nextFailover,
} from "./failover-policy.ts"
import { isOffline } from "./is-offline.ts"

type CommandOf<Type extends FailoverCommand["type"]> = Extract<FailoverCommand, { type: Type }>
type Wait = CommandOf<"wait">

export interface FailoverDriver {
  /**
   * Tells the policy what happened, once all that was commanded before is done. `what` is only asked when it
   * is its turn: by then it may be no news any more.
   */
  happens(what: () => FailoverEvent | null): void
  /** Nothing happens any more, nor is waited for. */
  stop(): void
}

/** Does what the policy commands, but for the waiting, which is the driver's own. */
export type Performers = {
  [Type in Exclude<FailoverCommand["type"], "wait" | "stop-waiting">]: (command: CommandOf<Type>) => void
}

/** Drives the policy of failover: one event after another, and its clock. */
export function createFailoverDriver(
  keys: readonly string[],
  times: FailoverTimes,
  performers: Performers,
): FailoverDriver {
  const happened: (() => FailoverEvent | null)[] = []
  const timers = new Map<Wait["of"], ReturnType<typeof setTimeout>>()
  let state = beginFailover(keys, times)
  let isPerforming = false
  let isStopped = false

  const obey = {
    ...performers,
    wait({ of, ms }: Wait) {
      clearTimeout(timers.get(of))
      const over = () => happens(() => ({ type: "time-over", of, isOffline: isOffline() }))
      // All pages lost the preferred provider at the same moment, and aren't to
      // come back to it at the same moment.
      timers.set(of, setTimeout(over, of === "return" ? ms * randomBetween(0.5, 1.5) : ms))
    },
    "stop-waiting": ({ of }: CommandOf<"stop-waiting">) => clearTimeout(timers.get(of)),
  }

  const perform = (command: FailoverCommand) =>
    (obey[command.type] as (command: FailoverCommand) => void)(command)

  function happens(what: () => FailoverEvent | null): void {
    happened.push(what)
    if (isPerforming) return
    isPerforming = true
    try {
      while (happened.length > 0) {
        const event = happened.shift()?.()
        if (!event || isStopped) continue
        const { state: after, commands } = nextFailover(state, event, times)
        state = after
        // Whoever is told by one of them may close everything before the next.
        for (const command of commands) if (!isStopped) perform(command)
      }
    } finally {
      isPerforming = false
    }
  }

  return {
    happens,
    stop() {
      isStopped = true
      for (const timer of timers.values()) clearTimeout(timer)
    },
  }
}
