import { describe, expect, it } from "vitest"
import { lockRaceBackends, raceForLocks } from "./lock-races.ts"

describe("a race for a lock", () => {
  it.each(lockRaceBackends)("has one winner, the same for all, over %s", async (_, start) => {
    expect(await raceForLocks({ start, races: 60, atOnce: 20 })).toEqual([])
  })
})
