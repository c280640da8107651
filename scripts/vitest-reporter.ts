import { relative } from "node:path"
import type { SerializedError } from "vitest"
import type { Reporter, TestModule } from "vitest/node"
import { emptyResult, type SuiteResult, writeResults } from "./report.ts"

/** Counts each project's tests for the summary of `npm test`. What fails outside a test is a failure, too. */
export default class ThroughlineReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    const results: SuiteResult[] = []
    for (const [suite, ofSuite] of Map.groupBy(modules, ({ project }) => project.name)) {
      const result = emptyResult(suite)
      for (const module of ofSuite) addModule(result, module)
      results.push(result)
    }
    if (unhandledErrors.length > 0) {
      const result = emptyResult("outside any test")
      for (const { message } of unhandledErrors) fail(result, message)
      results.push(result)
    }
    writeResults("vitest", results)
  }
}

function addModule(result: SuiteResult, module: TestModule): void {
  const file = relative(process.cwd(), module.moduleId)
  let failedTests = 0
  for (const test of module.children.allTests()) {
    const outcome = test.result()
    const [, contract, provider] = /(?:^| > )(\w+) contract \((.+?)\) > /.exec(test.fullName) ?? []
    if (contract && provider && outcome.state !== "pending") {
      result.contract ??= []
      result.contract.push({ provider, suite: contract, outcome: outcome.state })
    }
    if (outcome.state === "passed") result.passed += 1
    else if (outcome.state === "skipped") {
      result.skipped.push({ test: `${file} > ${test.fullName}`, reason: outcome.note ?? "" })
    } else {
      failedTests += 1
      fail(result, `${file} > ${test.fullName}`)
    }
  }
  // A file that can't be loaded, or whose `beforeAll` fails, has no test that failed.
  const state = module.state()
  if (failedTests === 0 && state !== "passed" && state !== "skipped") {
    const errors = [module, ...module.children.allSuites()].flatMap((part) => part.errors())
    fail(result, `${file}: ${errors[0]?.message ?? state}`)
  }
}

function fail(result: SuiteResult, what: string): void {
  result.failed += 1
  result.failures.push(what)
}
