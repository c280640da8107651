import { expect, it } from "vitest"
import { simulateDocument } from "./simulate.ts"

/** 300 of them by `npm run simulate:documents`. */
const seeds = 40

it("five people's documents are one after 300 edits of each, whatever happens", async () => {
  let trimmed = 0
  for (let seed = 1; seed <= seeds; seed += 1) {
    const { violations, first } = await simulateDocument({ seed, clients: 5, edits: 300 })
    expect(violations, `seed ${seed}`).toEqual([])
    if (first > 1) trimmed += 1
  }
  // Else trimming was never put to the test.
  expect(trimmed).toBeGreaterThan(seeds / 10)
})
