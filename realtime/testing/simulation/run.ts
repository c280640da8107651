import { parseArgs } from "node:util"
import fc from "fast-check"
import { programs } from "./programs.ts"
import { simulate } from "./simulate.ts"

/**
 * `npm run simulate -- --cases 100000`: random programs over simulated providers, in virtual
 * time, until one breaks a promise or all have run. What fails is made as small as it gets, and
 * repeated by `--seed` and `--path`.
 */
const { values } = parseArgs({
  options: {
    cases: { type: "string", default: "50000" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 31)) },
    path: { type: "string" },
  },
})
const seed = Number(values.seed)
const began = performance.now()
let ran = 0

const keeps = fc.asyncProperty(programs, async (program) => {
  ran += 1
  if (ran % 5_000 === 0) console.log(`${ran} programs`)
  const { violations, story } = await simulate(program)
  if (violations.length > 0) throw new Error([...story, ...violations].join("\n"))
})
const result = await fc.check(keeps, {
  numRuns: Number(values.cases),
  seed,
  ...(values.path !== undefined && { path: values.path }),
})
const seconds = Math.round((performance.now() - began) / 1000)
if (!result.failed) {
  console.log(`✓ ${result.numRuns} programs in ${seconds} s kept every promise (seed ${seed})`)
} else {
  console.log(`✗ ${(result.errorInstance as Error).message}`)
  console.log(JSON.stringify(result.counterexample, null, 2))
  console.log(`\nnpm run simulate -- --seed ${seed} --path ${result.counterexamplePath}`)
  process.exitCode = 1
}
