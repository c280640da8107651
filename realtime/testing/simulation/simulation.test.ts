import { expect, test } from "vitest"
import fc from "../fast-check.ts"
import { programs } from "./programs.ts"
import { simulate } from "./simulate.ts"

/** The same programs in each run; others, and as many as one likes, by `npm run simulate`. */
const seed = 20_261_123

test("the ten promises hold whatever happens", { timeout: 300_000 }, async () => {
  const keeps = fc.asyncProperty(programs, async (program) => {
    const { violations, story } = await simulate(program)
    expect(violations, story.join("\n")).toEqual([])
  })
  await fc.assert(keeps, {
    numRuns: Number(process.env.SIMULATION_RUNS ?? 200),
    seed: Number(process.env.SIMULATION_SEED ?? seed),
    ...(process.env.SIMULATION_PATH && { path: process.env.SIMULATION_PATH }),
  })
})

test("a program ends the same each time, so that its seed repeats it", async () => {
  const [program] = fc.sample(programs, { numRuns: 1, seed: 7 })
  if (!program) throw new Error("no program")
  const { story } = await simulate(program)
  expect(story.length).toBeGreaterThan(program.steps.length)
  expect((await simulate(program)).story).toEqual(story)
})
