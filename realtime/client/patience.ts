import type { OnError } from "../errors.ts"
import { withinLimit } from "../within-limit.ts"

/** Who hears of failures. */
export interface Reporting {
  /** Whether it is worth telling of one. */
  isOpen(): boolean
  onError: OnError
}

/** Waits for what a browser may refuse or never do. That it does is told once, until it has worked again. */
export interface Patience {
  /** Resolves with the failure, `timeout` of one that is late; with null where there is none. */
  failureOf(doing: string, answer: Promise<unknown>): Promise<unknown>
  /** A late answer says so. */
  works(): void
}

export function createPatience(limitMs: number, { isOpen, onError }: Reporting): Patience {
  let isBroken = false
  function works(): void {
    isBroken = false
  }
  return {
    works,
    async failureOf(stage, answer) {
      try {
        await withinLimit(limitMs, stage, () => answer)
        works()
        return null
      } catch (error) {
        if (!isBroken && isOpen()) onError(error, { stage })
        isBroken = true
        return error
      }
    },
  }
}

/** Of code that may throw before there is a promise. */
export const run = async <T>(task: () => Promise<T>): Promise<T> => task()
