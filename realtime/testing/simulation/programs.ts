import fc from "fast-check"
import type { Program } from "./simulate.ts"
import { type Step, type StepName, weights } from "./world.ts"

const what = fc.oneof(
  ...Object.entries(weights).map(([name, weight]) => ({ weight, arbitrary: fc.constant(name as StepName) })),
)

/** From a moment to minutes: what is over before anybody noticed, and what outlasts every patience. */
const duration = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 500 }) },
  { weight: 3, arbitrary: fc.integer({ min: 500, max: 20_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 20_000, max: 300_000 }) },
)

const step: fc.Arbitrary<Step> = fc.record({
  what,
  which: fc.nat({ max: 59 }),
  size: fc.nat({ max: 99 }),
  forMs: duration,
  thenMs: fc.oneof(
    { weight: 5, arbitrary: fc.integer({ min: 0, max: 200 }) },
    { weight: 2, arbitrary: fc.integer({ min: 200, max: 10_000 }) },
    { weight: 1, arbitrary: fc.integer({ min: 10_000, max: 120_000 }) },
  ),
})

/** Everything that may happen, in any order. */
export const programs: fc.Arbitrary<Program> = fc.record({
  seed: fc.nat(),
  steps: fc.array(step, { minLength: 1, maxLength: 60, size: "max" }),
})
