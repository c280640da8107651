import { relative } from "node:path"
import type { Reporter, Suite, TestCase } from "@playwright/test/reporter"
import { emptyResult, type Figure, figureAnnotation, writeResults } from "./report.ts"

/** What each layout of the browser tests shows, as the contract's matrix names it. */
const providerOf: Record<string, string> = {
  "one-port": "socketio, one port",
  split: "socketio, split",
  pusher: "pusher, emulator",
  ably: "ably, emulator",
  serverless: "pusher, functions",
  "serverless-pusher": "pusher, functions",
  "serverless-ably": "ably, functions",
}

/** Counts the browser tests for the summary of `npm test`. */
export default class ThroughlineReporter implements Reporter {
  #suite: Suite | undefined
  #errors: string[] = []

  onBegin(_config: unknown, suite: Suite): void {
    this.#suite = suite
  }

  onError(error: { message?: string }): void {
    this.#errors.push(error.message ?? "an error outside any test")
  }

  onEnd(): void {
    const result = emptyResult("e2e")
    for (const test of this.#suite?.allTests() ?? []) {
      const outcome = test.outcome()
      const provider = providerOf[test.titlePath()[1] ?? ""]
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
      else if (outcome === "unexpected") result.failures.push(nameOf(test))
      else result.passed += 1
    }
    result.failures.push(...this.#errors)
    result.failed = result.failures.length
    writeResults("playwright", [result])
  }

  printsToStdio(): boolean {
    return false
  }
}

function nameOf(test: TestCase): string {
  const [, project, , ...titles] = test.titlePath()
  return `${relative(process.cwd(), test.location.file)} > ${titles.join(" > ")} (${project})`
}

function reasonOf(test: TestCase): string {
  const skipped = test.annotations.find(({ type }) => type === "skip" || type === "fixme")
  if (skipped?.description) return skipped.description
  // A test that never started is one of a group whose other test failed.
  return test.results.length === 0 ? "it never started" : ""
}
