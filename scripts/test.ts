import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type Provisioned, provision } from "./provision.ts"
import { emptyResult, readResults, reportTo, type SuiteResult, summarize } from "./report.ts"
import { run } from "./run.ts"
import { tools, toolVariables } from "./tools.ts"

/**
 * `npm test`: every test, the ones in a real browser included. `npm test -- unit react` runs only those suites.
 * Ends in a summary whose last line is `N passed, N failed, N skipped`.
 */
const vitestSuites = ["unit", "react", "contract", "types"]
const suites = [...vitestSuites, "e2e"]

/** Runs a runner; one that ends badly without a word of what failed is a failure of its own. */
async function runSuites(runner: string, program: string, parameters: string[], env: Record<string, string>) {
  const folder = mkdtempSync(join(tmpdir(), "throughline-report-"))
  try {
    const exitCode = await run(program, parameters, { ...env, ...reportTo(folder) })
    const results = readResults(folder)
    if (exitCode !== 0 && !results.some(({ failed }) => failed > 0)) {
      const failures = [`${runner} ended with exit code ${exitCode}; what it printed is above`]
      results.push({ ...emptyResult(runner), failed: 1, failures })
    }
    return results
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

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
  const wanted = chosen.length > 0 ? chosen : suites
  const needed = [
    ...(wanted.includes("unit") || wanted.includes("contract") ? [tools.postgres, tools.soketi] : []),
    ...(wanted.includes("contract") ? [tools.redis, tools.nginx, tools.pgbouncer] : []),
    ...(wanted.includes("e2e") ? [tools.chromium, tools.japaneseFont, tools.vercel, tools.postgres] : []),
  ]
  const provisioned = provision(needed)
  const env = toolVariables()
  const results: SuiteResult[] = []

  const projects = vitestSuites.filter((name) => wanted.includes(name))
  if (projects.length > 0) {
    const parameters = ["run", "--reporter=default", "--reporter=./scripts/vitest-reporter.ts"]
    parameters.push(...projects.map((name) => `--project=${name}`))
    // Vitest colours what goes to a file, too.
    const plain: Record<string, string> = process.stdout.isTTY ? {} : { NO_COLOR: "1" }
    results.push(...(await runSuites("vitest", "vitest", parameters, { ...env, ...plain })))
  }

  if (wanted.includes("e2e")) {
    const parameters = ["test", "--reporter=list,./scripts/playwright-reporter.ts"]
    const hasBrowser = "THROUGHLINE_CHROMIUM" in env
    // Without a browser they are only listed, so that the summary can say how many were skipped.
    if (!hasBrowser) parameters.push("--list")
    results.push(...(await runSuites("e2e", "playwright", parameters, env)))
  }

  const inOrder = results.toSorted((a, b) => suites.indexOf(a.suite) - suites.indexOf(b.suite))
  const { text, isGood } = summarize(withReasons(inOrder, provisioned))
  console.log(`\n${text}`)
  return isGood ? 0 : 1
}

process.exitCode = await main(process.argv.slice(2))
