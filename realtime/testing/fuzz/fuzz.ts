import fc from "fast-check"
import type { FuzzTarget } from "./targets.ts"

export interface FuzzResult {
  inputs: number
  /** The smallest input that was found to fail, and how. */
  failure: { input: string; error: string; seed: number } | null
}

/**
 * Gives a target so many inputs; what it fails by is made as small as it gets. The
 * same seed gives the same inputs.
 */
export async function fuzz(
  target: FuzzTarget,
  { inputs, seed }: { inputs: number; seed: number },
): Promise<FuzzResult> {
  // A target that failed is in no state to tell whether a smaller input would do
  // it: each look has one of its own.
  let running = await target.open()
  const survives = fc.asyncProperty(target.inputs, async (input) => {
    try {
      await running.take(input)
    } catch (error) {
      await running[Symbol.asyncDispose]()
      running = await target.open()
      throw error
    }
  })
  const result = await fc.check(survives, { numRuns: inputs, seed })
  await running[Symbol.asyncDispose]()
  if (!result.failed) return { inputs: result.numRuns, failure: null }
  const input = shown(result.counterexample?.[0])
  const error = String((result.errorInstance as Error | null)?.stack ?? result.errorInstance)
  return { inputs: result.numRuns, failure: { input, error, seed } }
}

function shown(input: unknown): string {
  try {
    return fc.stringify(input).slice(0, 2_000)
  } catch {
    return "an input too deep to be printed"
  }
}
