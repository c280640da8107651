import { withResolvers } from "../with-resolvers.ts"
import { createPatience, type Reporting, run } from "./patience.ts"

/** Runs the task while no other tab runs one of this name. */
export type Exclusively = (name: string, task: () => Promise<void>) => Promise<void>

/** Browser: by the Web Locks, where the browser has them, under names that begin so. */
export function createTabLock(prefix: string): Exclusively {
  return async (name, task) => {
    if (typeof navigator === "undefined" || !navigator.locks) return task()
    await navigator.locks.request(`${prefix}:${name}`, task)
  }
}

/** How long a tab that doesn't move (a phone put it to sleep) holds up the others. */
const lockPatienceMs = 10_000

export interface TurnOptions extends Reporting {
  exclusively: Exclusively
}

/**
 * Takes turns with the other tabs, for a while: where the lock fails, or isn't had in ten seconds, the task
 * runs all the same. It has to be one that two tabs may do at once.
 */
export function createTurns({ exclusively, ...reporting }: TurnOptions): Exclusively {
  const { failureOf } = createPatience(lockPatienceMs, reporting)
  return async (name: string, task: () => Promise<void>): Promise<void> => {
    const begun = withResolvers<void>()
    let running: Promise<void> | undefined
    const once = () => {
      begun.resolve()
      running ??= task()
      return running
    }
    const turn = run(() => exclusively(name, once))
    const stage = "take turns with the other tabs"
    const failure = await failureOf(stage, Promise.race([begun.promise, turn]))
    await once()
    // Until it is given back.
    if (failure === null) await failureOf(stage, turn)
  }
}
