import { join } from "node:path"
import { inTier, type Tier } from "../e2e/tiers.ts"
import { requireInstalled } from "./installed.ts"
import { type Provisioned, provision } from "./provision.ts"
import { type SuiteResult, summarize } from "./report.ts"
import { projectDir } from "./run.ts"
import { type Runner, repeatFailed, runTests, withReporter } from "./test-run.ts"
import { tools, toolVariables } from "./tools.ts"

/**
 * `npm test`: what every change has to pass, the core of the tests in a real browser included. `npm test -- unit react`
 * runs only those suites. `npm run test:system` runs the rest: `system` and `system-e2e`.
 * A test that fails is run once more, alone, after all the others; what passes then is flaky, and named.
 * Ends in a summary whose last line is `N passed, N failed, N skipped`.
 */
const testSuites = ["unit", "react", "contract", "types", "e2e"]
const systemSuites = ["system", "system-e2e"]
const suites = [...testSuites, ...systemSuites]

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

async function main(chosen: string[]): Promise<number> {
  const unknown = chosen.filter((name) => !suites.includes(name))
  if (unknown.length > 0) {
    console.error(`There is no suite "${unknown.join('", "')}". The suites are ${suites.join(", ")}.`)
    return 1
  }
  requireInstalled(projectDir)
  const wanted = chosen.length > 0 ? chosen : testSuites
  const isWanted = (...names: string[]) => names.some((name) => wanted.includes(name))
  const needed = new Set([
    ...(isWanted("unit", "contract", "system") ? [tools.postgres, tools.soketi, tools.toolchains] : []),
    ...(isWanted("contract", "system") ? [tools.redis, tools.nginx, tools.pgbouncer, tools.systemd] : []),
    ...(isWanted("e2e", "system-e2e")
      ? [tools.chromium, tools.japaneseFont, tools.vercel, tools.postgres]
      : []),
    ...(isWanted("system-e2e") ? [tools.oldChromium] : []),
  ])
  const provisioned = await provision([...needed])
  // Vitest colours what goes to a file, too.
  const plain: Record<string, string> = process.stdout.isTTY ? {} : { NO_COLOR: "1" }
  // Hundreds of processes load the same code.
  const compiled = join(projectDir, "node_modules/.cache/throughline/compiled")
  const env = { ...toolVariables(), ...plain, NODE_COMPILE_CACHE: compiled }

  const runners: Runner[] = []
  const addVitest = (projects: string[], limitMs: number) => {
    if (projects.length === 0) return
    const command = ["vitest", "run", ...projects.map((name) => `--project=${name}`)]
    runners.push({ name: "vitest", command, env, limitMs })
  }
  const addPlaywright = (name: string, tier: Tier, limitMs: number) => {
    if (!isWanted(name)) return
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

const inOrder = (a: SuiteResult, b: SuiteResult) => suites.indexOf(a.suite) - suites.indexOf(b.suite)

process.exitCode = await main(process.argv.slice(2))
