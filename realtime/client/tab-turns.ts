import type { OnError } from "../errors.ts"
import { withResolvers } from "../with-resolvers.ts"
import { withinLimit } from "../within-limit.ts"

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

export interface TurnOptions {
  exclusively: Exclusively
  /** Whether it is worth telling of a failure. */
  isOpen(): boolean
  onError: OnError
}

/**
 * Takes turns with the other tabs, for a while: where the lock fails, or isn't had in ten seconds, the task
 * runs all the same. It has to be one that two tabs may do at once.
 */
export function createTurns({ exclusively, isOpen, onError }: TurnOptions): Exclusively {
  let isLockBroken = false
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
    const inTime = async (answer: Promise<unknown>) => {
      try {
        await withinLimit(lockPatienceMs, stage, () => answer)
        isLockBroken = false
        return true
      } catch (error) {
        if (!isLockBroken && isOpen()) onError(error, { stage })
        isLockBroken = true
        return false
      }
    }
    const isLocked = await inTime(Promise.race([begun.promise, turn]))
    await once()
    // Until it is given back.
    if (isLocked) await inTime(turn)
  }
}

/** Of code that may throw before there is a promise. */
export const run = async <T>(task: () => Promise<T>): Promise<T> => task()
