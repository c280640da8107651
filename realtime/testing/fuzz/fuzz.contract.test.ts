import { describe, expect, it } from "vitest"
import { fuzz } from "./fuzz.ts"
import { fuzzTargets } from "./targets.ts"

/** The same inputs in each run; millions of others by `npm run fuzz`. */
describe("whatever strangers send", () => {
  it.each(Object.entries(fuzzTargets))(
    "%s neither fail nor hang, and go on for others",
    async (_, target) => {
      const { failure } = await fuzz(target, { inputs: 1_500, seed: 1 })
      expect(failure).toBeNull()
    },
  )
})
