import { relative } from "node:path"
import type { SerializedError } from "vitest"
import type { Reporter, TestModule } from "vitest/node"
import { emptyResult, firstLines, type SuiteResult, toPattern, writeReport } from "./report.ts"

/** Counts each project's tests for the summary of `npm test`. What fails outside a test is a failure, too. */
export default class ThroughlineReporter implements Reporter {
  #running = new Set<TestModule>()
  #ended: TestModule[] = []

  onTestModuleStart(module: TestModule): void {
    this.#running.add(module)
    this.#write(this.#ended)
  }

  onTestModuleEnd(module: TestModule): void {
    this.#running.delete(module)
    this.#ended.push(module)
    this.#write(this.#ended)
  }

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    this.#running.clear()
    this.#write(modules, unhandledErrors)
  }

  /** The errors outside any test are known at the end alone. */
  #write(modules: readonly TestModule[], unhandledErrors?: readonly SerializedError[]): void {
    const results: SuiteResult[] = []
    for (const [suite, ofSuite] of Map.groupBy(modules, ({ project }) => project.name)) {
      const result = emptyResult(suite)
      for (const module of ofSuite) addModule(result, module)
      results.push(result)
    }
    const outside = emptyResult("outside any test")
    const failed = results.flatMap(({ failures }) => failures.map(({ test }) => test))
    for (const error of unhandledErrors ?? []) addOutside(outside, error, modules, failed)
    if (outside.failures.length > 0) results.push(outside)
    const running = [...this.#running].map(fileOf)
    writeReport("vitest", { results, running, isComplete: unhandledErrors !== undefined })
  }
}

const fileOf = ({ moduleId }: TestModule) => relative(process.cwd(), moduleId)

function addModule(result: SuiteResult, module: TestModule): void {
  const file = fileOf(module)
  const command = commandOf(module)
  result.files[file] = module.diagnostic().duration
  let failedTests = 0
  const unended: string[] = []
  const addFailure = (fullName: string, error: string) =>
    result.failures.push({
      test: `${file} > ${fullName}`,
      error: firstLines(error),
      command: [...command, `-t=${patternOf(fullName)}`],
    })
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
      const error = outcome.errors?.[0]?.message
      if (error === undefined) unended.push(test.fullName)
      else addFailure(test.fullName, error)
    }
  }
  // A worker that ended takes all of its file along, what had passed too: that is one failure.
  if (unended.length > 1)
    result.failures.push({ test: file, error: `${unended.length} of its tests didn't end`, command })
  else for (const fullName of unended) addFailure(fullName, "it didn't end")
  // Of a file that can't be loaded, or of what surrounds its tests: no test that failed says so, nor does its repeat.
  const [error] = [module, ...module.children.allSuites()].flatMap((part) => part.errors())
  const state = module.state()
  const isUnexplained = failedTests === 0 && state !== "passed" && state !== "skipped"
  if (error || isUnexplained)
    result.failures.push({ test: file, error: firstLines(error?.message ?? `it is ${state}`), command })
}

/** What nobody awaited, and workers that ended: told by the file they belong to, if any. */
function addOutside(
  result: SuiteResult,
  error: SerializedError,
  modules: readonly TestModule[],
  failed: readonly string[],
): void {
  const causes = [error, error.cause].map((each) => (each ? `${each.name}: ${each.message}` : ""))
  const text = causes.join("\n")
  const path = (error as { VITEST_TEST_PATH?: string }).VITEST_TEST_PATH
  const module = modules.find(({ moduleId }) => moduleId === path || text.includes(moduleId))
  // The test that a worker was at when it ended has failed by that already.
  if (!path && module && failed.some((test) => test.split(" > ")[0] === fileOf(module))) return
  const command = module ? commandOf(module) : null
  const test = module ? `${fileOf(module)} > outside any test` : "outside any test"
  result.failures.push({ test, error: firstLines(text), command })
}

const commandOf = (module: TestModule) => [
  "vitest",
  "run",
  `--project=${module.project.name}`,
  fileOf(module),
]

/** Vitest looks for the names of groups and test with a space between them. */
const patternOf = (fullName: string) => `^${toPattern(fullName).replaceAll(" > ", " (> )?")}$`
