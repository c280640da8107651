import { parseArgs } from "node:util"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { fuzz } from "./fuzz.ts"
import { fuzzTargets } from "./targets.ts"

/**
 * `npm run fuzz -- --inputs 1000000`: so many inputs to each of what strangers can reach, and a look at the
 * memory that stays. `--only "the HTTP routes"` names one; `--seed` repeats a run.
 */
const { values } = parseArgs({
  options: {
    inputs: { type: "string", default: "1000000" },
    only: { type: "string" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 31)) },
  },
})
const seed = Number(values.seed)
/** Inputs between two looks. */
const chunk = 50_000
/** What may stay of any number of inputs: caches that are bounded, and no more. */
const maxGrowthBytes = 64 * 1024 * 1024

setFlagsFromString("--expose-gc")
const collectGarbage = runInNewContext("gc") as () => void
const usedBytes = () => {
  collectGarbage()
  return process.memoryUsage().heapUsed
}

for (const [name, target] of Object.entries(fuzzTargets)) {
  if (values.only !== undefined && values.only !== name) continue
  const total = Number(values.inputs)
  const began = performance.now()
  let done = 0
  let first: number | undefined
  let grown = 0
  while (done < total && process.exitCode === undefined) {
    const { inputs, failure } = await fuzz(target, {
      inputs: Math.min(chunk, total - done),
      seed: seed + done,
    })
    done += inputs
    if (failure) {
      console.log(`✗ ${name}, seed ${failure.seed}: ${failure.input}\n${failure.error}`)
      process.exitCode = 1
    }
    const used = usedBytes()
    first ??= used
    grown = used - first
    if (grown > maxGrowthBytes) {
      console.log(`✗ ${name}: ${Math.round(grown / 2 ** 20)} MiB more stay after ${done} inputs`)
      process.exitCode = 1
    }
  }
  const seconds = Math.round((performance.now() - began) / 1000)
  if (process.exitCode === undefined)
    console.log(
      `✓ ${name}: ${done} inputs in ${seconds} s, ${Math.round(grown / 2 ** 20)} MiB more stay (seed ${seed})`,
    )
}
process.exit()
