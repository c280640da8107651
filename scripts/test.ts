import { tmpdir } from "node:os"
import { join } from "node:path"
import { inTier, type Tier } from "../e2e/tiers.ts"
import { makePostgresTemplate } from "../realtime/testing/postgres.ts"
import { requireInstalled } from "./installed.ts"
import { makeMemoryFolder } from "./memory-folder.ts"
import { type Provisioned, provision } from "./provision.ts"
import { type SuiteResult, summarize } from "./report.ts"
import { projectDir } from "./run.ts"
import { type Runner, repeatFailed, runTests, withReporter } from "./test-run.ts"
import { chosenSuites, type Suite, suites, testSuites, toolsOf, toolVariables } from "./tools.ts"

/**
 * `npm test`: what every change has to pass, the core of the tests in a real browser included. `npm test -- unit react`
 * runs only those suites. `npm run test:system` runs the rest: `system` and `system-e2e`.
 * A test that fails is run once more, alone, after all the others; what passes then is flaky, and named.
 * Ends in a summary whose last line is `N passed, N failed, N skipped`.
 */
async function main(chosen: readonly string[]): Promise<number> {
  const wanted = chosen.length > 0 ? chosenSuites(chosen) : testSuites
  requireInstalled(projectDir)
  // Whoever chose a place for temporary files has a reason.
  using memory = tmpdir() === "/tmp" ? makeMemoryFolder() : null
  return await runSuites(wanted, memory?.folder)
}

const minuteMs = 60_000
/** Several times what they take on a quiet machine: past it something hangs. */
const limitsMs = { vitest: 15 * minuteMs, e2e: 22 * minuteMs, system: 120 * minuteMs }

/** A runner doesn't know that it skips for want of a tool. */
function withReasons(results: readonly SuiteResult[], { missing }: Provisioned): SuiteResult[] {
  const reasonFor = (test: string) => missing.find(({ tool }) => tool.tests?.test(test))?.reason
  return results.map((result) => ({
    ...result,
    skipped: result.skipped.map(({ test, reason }) => ({
      test,
      reason: reasonFor(test) ?? (reason || "no reason is given"),
    })),
  }))
}

/** What the tests find in this run's own folder. */
async function furnish(folder: string, wanted: readonly Suite[]): Promise<Record<string, string>> {
  const place = { TMPDIR: folder }
  if (!toolsOf(wanted).some(({ name }) => name === "PostgreSQL")) return place
  try {
    return { ...place, ...(await makePostgresTemplate(join(folder, "postgres"))) }
  } catch (error) {
    // Whoever needs it makes it, and is named when that fails, too.
    console.error("unable to make a database for the tests to begin with:", error)
    return place
  }
}

async function runSuites(wanted: readonly Suite[], folder?: string): Promise<number> {
  const provisioned = await provision(toolsOf(wanted))
  const place = folder === undefined ? {} : await furnish(folder, wanted)
  // Vitest colours what goes to a file, too.
  const plain: Record<string, string> = process.stdout.isTTY ? {} : { NO_COLOR: "1" }
  // Hundreds of processes load the same code.
  const compiled = join(projectDir, "node_modules/.cache/throughline/compiled")
  const env = { ...toolVariables(), ...plain, ...place, NODE_COMPILE_CACHE: compiled }

  const runners: Runner[] = []
  const addVitest = (projects: string[], limitMs: number) => {
    if (projects.length === 0) return
    const command = ["vitest", "run", ...projects.map((name) => `--project=${name}`)]
    runners.push({ name: "vitest", command, env, limitMs })
  }
  const addPlaywright = (name: Suite, tier: Tier, limitMs: number) => {
    if (!wanted.includes(name)) return
    // Without a browser they are only listed, so that the summary can say how many were skipped.
    const command = ["playwright", "test", ...("THROUGHLINE_CHROMIUM" in env ? [] : ["--list"])]
    runners.push({ name, command, env: { ...env, ...inTier(tier) }, limitMs })
  }
  addVitest(
    wanted.filter((name) => ["unit", "react", "contract", "types"].includes(name)),
    limitsMs.vitest,
  )
  addPlaywright("e2e", "test", limitsMs.e2e)
  addVitest(
    wanted.filter((name) => name === "system"),
    limitsMs.system,
  )
  addPlaywright("system-e2e", "system", limitsMs.system)

  const ending = new AbortController()
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => ending.abort())
  const { signal } = ending
  // For a caller who would end it otherwise, without a summary.
  const deadlineS = Number(process.env.THROUGHLINE_DEADLINE_S ?? 0)
  if (deadlineS > 0) setTimeout(() => ending.abort(), deadlineS * 1_000).unref()
  const results: SuiteResult[] = []
  for (const runner of runners) {
    if (!signal.aborted) results.push(...(await runTests(withReporter(runner), { signal })))
  }
  const final = await repeatFailed(results, env, { signal })
  const { text, isGood } = summarize(withReasons(final.toSorted(inOrder), provisioned))
  console.log(`\n${text}`)
  return isGood && !signal.aborted ? 0 : 1
}

const names: readonly string[] = suites
const inOrder = (a: SuiteResult, b: SuiteResult) => names.indexOf(a.suite) - names.indexOf(b.suite)

process.exitCode = await main(process.argv.slice(2))
