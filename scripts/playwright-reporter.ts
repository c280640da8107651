import { relative } from "node:path"
import type { Reporter, Suite, TestCase } from "@playwright/test/reporter"
import { isTier } from "../e2e/tiers.ts"
import {
  emptyResult,
  type Figure,
  figureAnnotation,
  firstLines,
  neverStarted,
  type SuiteResult,
  toPattern,
  writeReport,
} from "./report.ts"

/** What each layout of the browser tests shows, as the contract's matrix names it. */
const providerOf: Record<string, string> = {
  "one-port": "socketio, one port",
  split: "socketio, split",
  pusher: "pusher, emulator",
  ably: "ably, emulator",
  "serverless-pusher": "pusher, functions",
  "serverless-ably": "ably, functions",
}

/** Counts the browser tests for the summary of `npm test`. */
export default class ThroughlineReporter implements Reporter {
  #suite: Suite | undefined
  #errors: string[] = []
  #running = new Set<TestCase>()

  onBegin(_config: unknown, suite: Suite): void {
    this.#suite = suite
  }

  onTestBegin(test: TestCase): void {
    this.#running.add(test)
    this.#write({ isComplete: false })
  }

  onTestEnd(test: TestCase): void {
    this.#running.delete(test)
  }

  onError(error: { message?: string }): void {
    this.#errors.push(error.message ?? "an error outside any test")
  }

  onEnd(): void {
    this.#write({ isComplete: true })
  }

  #write({ isComplete }: { isComplete: boolean }): void {
    const result = emptyResult(isTier("system") ? "system-e2e" : "e2e")
    const hasEnded = (test: TestCase) => test.results.length > 0 && !this.#running.has(test)
    for (const test of this.#suite?.allTests() ?? []) if (isComplete || hasEnded(test)) addTest(result, test)
    for (const error of this.#errors)
      result.failures.push({ test: "outside any test", error: firstLines(error), command: null })
    writeReport("playwright", { results: [result], running: [...this.#running].map(nameOf), isComplete })
  }

  printsToStdio(): boolean {
    return false
  }
}

/** Without a browser the tests are only listed. */
const isListing = process.argv.includes("--list")

/** Playwright calls it skipped when what a test waited for has failed, or a test before it in a group. */
const hasNotStarted = (test: TestCase) =>
  !isListing && test.results.every(({ status }) => status === "skipped") && !test.annotations.some(isLeftOut)

const isLeftOut = ({ type }: { type: string }) => type === "skip" || type === "fixme"

function addTest(result: SuiteResult, test: TestCase): void {
  const outcome = hasNotStarted(test) ? "unexpected" : test.outcome()
  const [, project = "", , ...titles] = test.titlePath()
  const file = relative(process.cwd(), test.location.file)
  const place = `${file} (${project})`
  const took = test.results.reduce((total, { duration }) => total + duration, 0)
  result.files[place] = (result.files[place] ?? 0) + took
  const provider = providerOf[project]
  if (provider) {
    const state = outcome === "skipped" ? "skipped" : outcome === "unexpected" ? "failed" : "passed"
    result.contract ??= []
    result.contract.push({ provider, suite: "browser", outcome: state })
  }
  for (const { type, description } of test.results.at(-1)?.annotations ?? []) {
    if (type !== figureAnnotation || !description) continue
    result.figures ??= []
    result.figures.push(JSON.parse(description) as Figure)
  }
  if (outcome === "skipped") result.skipped.push({ test: nameOf(test), reason: reasonOf(test) })
  else if (outcome === "unexpected") {
    result.failures.push({
      test: nameOf(test),
      error: firstLines(test.results.at(-1)?.errors[0]?.message ?? neverStarted),
      command: [
        "playwright",
        "test",
        "--workers=1",
        "--no-deps",
        `--project=${project}`,
        file,
        `--grep=${toPattern(titles.join(" "))}`,
      ],
    })
  } else result.passed += 1
}

function nameOf(test: TestCase): string {
  const [, project, , ...titles] = test.titlePath()
  return `${relative(process.cwd(), test.location.file)} > ${titles.join(" > ")} (${project})`
}

function reasonOf(test: TestCase): string {
  return test.annotations.find(isLeftOut)?.description ?? ""
}
