import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { emptyResult, type Failure, readReport, reportTo, type SuiteResult } from "./report.ts"
import { type RunOptions, runToEnd } from "./run.ts"

export interface Runner {
  /** How the summary calls it where it has no suite to name. */
  name: string
  /** Program first. Its reporter writes a `Report`. */
  command: readonly string[]
  env: Readonly<Record<string, string>>
  /** Past so many ms it is ended, with all that it started. */
  limitMs: number
}

type Options = Pick<RunOptions, "cwd" | "quiet" | "signal">

/**
 * Runs it. One that never ends, that ends before it has run all, or badly and without a word of what failed, is a failure
 * of its own, which no repeat makes good.
 */
export async function runTests(runner: Runner, options: Options = {}): Promise<SuiteResult[]> {
  const { name, command, env, limitMs } = runner
  const folder = mkdtempSync(join(tmpdir(), "throughline-report-"))
  try {
    const [program = "", ...parameters] = command
    const exitCode = await runToEnd(
      program,
      parameters,
      { ...env, ...reportTo(folder) },
      { ...options, limitMs },
    )
    const { results, running, isComplete } = readReport(folder)
    const fail = (error: string) => {
      results.push({ ...emptyResult(name), failures: [{ test: name, error, command: null }] })
    }
    const atWhat = `what was running then:\n${running.join("\n") || "nothing that it named"}`
    if (exitCode === "ended") {
      const why = options.signal?.aborted
        ? "it was told to end"
        : `its time was up after ${limitMs / 60_000} minutes`
      fail(`${why}; ${atWhat}`)
    } else if (!isComplete) {
      fail(`it ended with exit code ${exitCode} before it had run all; ${atWhat}`)
    } else if (exitCode !== 0 && results.every(({ failures }) => failures.length === 0)) {
      fail(`it ended with exit code ${exitCode}; what it printed is above`)
    }
    return results
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** More failures than this aren't chance, and say enough without being repeated. */
const repeatLimit = 10
/** One test alone, its servers and its browser included. */
const repeatMs = 5 * 60_000

/** Runs each failed test once more, alone: those that pass now are flaky. */
export async function repeatFailed(
  results: readonly SuiteResult[],
  env: Runner["env"],
  options: Options & { limitMs?: number } = {},
): Promise<SuiteResult[]> {
  const failures = results.flatMap((result) => result.failures)
  if (failures.length === 0 || failures.length > repeatLimit) return [...results]
  const flaky = new Set<Failure>()
  for (const failure of failures) {
    if (!failure.command || options.signal?.aborted) continue
    console.log(`\n▸ once more, alone: ${failure.test}`)
    const runner = { name: failure.test, command: failure.command, env, limitMs: options.limitMs ?? repeatMs }
    const again = await runTests(withReporter(runner), options)
    // One that isn't found again has not passed.
    const hasPassed = again.some(({ passed }) => passed > 0)
    if (hasPassed && again.every((result) => result.failures.length === 0)) flaky.add(failure)
  }
  return results.map((result) => {
    const passedNow = result.failures.filter((failure) => flaky.has(failure))
    return {
      ...result,
      passed: result.passed + passedNow.length,
      failures: result.failures.filter((failure) => !flaky.has(failure)),
      flaky: [...result.flaky, ...passedNow],
    }
  })
}

const reporters: Record<string, readonly string[]> = {
  vitest: ["--reporter=default", `--reporter=${join(import.meta.dirname, "vitest-reporter.ts")}`],
  playwright: [`--reporter=list,${join(import.meta.dirname, "playwright-reporter.ts")}`],
}

/** The runner's own output, and our count of it. */
export function withReporter(runner: Runner): Runner {
  const [program = ""] = runner.command
  return { ...runner, command: [...runner.command, ...(reporters[program] ?? [])] }
}
