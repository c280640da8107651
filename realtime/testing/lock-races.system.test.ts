import { describe, expect, it } from "vitest"
import { lockRaceBackends, raceForLocks } from "./lock-races.ts"

/** Each begins with an empty log, as one of all races together would be read again and again. */
const seeds = Array.from({ length: 20 }, (_, index) => index + 1)

describe("ten thousand races for a lock", () => {
  const timeout = 1_800_000
  it.each(lockRaceBackends)(
    "have one winner each, the same for all, over %s",
    { timeout },
    async (_, start) => {
      for (const seed of seeds) expect(await raceForLocks({ start, races: 500, seed })).toEqual([])
    },
  )
})
