import { expect, it } from "vitest"
import { simulateDocument } from "./simulate.ts"

/** As many as a few seconds allow; all of them by `npm run test:system`. */
it.each([1, 2, 3, 4])("five people's documents are one, whatever happens: %i", async (seed) => {
  const { violations, seq } = await simulateDocument({ seed, clients: 5, edits: 60 })
  expect(violations).toEqual([])
  expect(seq).toBeGreaterThan(20)
})
