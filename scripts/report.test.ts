import { mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { emptyResult, type Failure, firstLines, neverStarted, readReport, summarize } from "./report.ts"

const lastLine = (text: string) => text.split("\n").at(-1)

describe("the summary of a test run", () => {
  it("counts every suite, and ends in the line that machines read", () => {
    const { text, isGood } = summarize([
      { ...emptyResult("unit"), passed: 700 },
      { ...emptyResult("e2e"), passed: 24 },
    ])
    expect(lastLine(text)).toBe("724 passed, 0 failed, 0 skipped")
    expect(text).toContain("unit  700 passed, 0 failed, 0 skipped")
    expect(isGood).toBe(true)
  })

  const failure = (test: string): Failure => ({
    test,
    error: "expected 1 to be 2\nin sums",
    command: ["vitest", "run", "a.test.ts", "-t=^it's a sum$"],
  })

  it("says what failed, how, and what runs it alone, and is not good", () => {
    const { text, isGood } = summarize([
      { ...emptyResult("unit"), passed: 1, failures: [failure("a.test.ts > adds")] },
    ])
    expect(text).toContain(
      [
        "failed: a.test.ts > adds",
        "  expected 1 to be 2",
        "  in sums",
        "  alone: npx vitest run a.test.ts '-t=^it'\\''s a sum$'",
        "",
        "1 passed, 1 failed, 0 skipped",
      ].join("\n"),
    )
    expect(isGood).toBe(false)
  })

  it("names what is flaky, bears three, and no more", () => {
    const flaky = ["one", "two", "three", "four"].map(failure)
    const some = summarize([{ ...emptyResult("unit"), passed: 9, flaky: flaky.slice(0, 3) }])
    expect(some.text).toContain("flaky: two\n  expected 1 to be 2")
    expect(lastLine(some.text)).toBe("9 passed, 0 failed, 0 skipped")
    expect(some.isGood).toBe(true)
    const more = summarize([{ ...emptyResult("unit"), passed: 9, flaky }])
    expect(more.text).toContain("4 tests are flaky")
    expect(more.isGood).toBe(false)
  })

  it("tells all of a bad run in its last 60 lines", () => {
    const names = Array.from({ length: 60 }, (_, index) => `a.test.ts > ${index}`)
    const long = firstLines("\u001b[31mline\u001b[39m\n\n".repeat(40))
    const failures = names.map((name) => ({ ...failure(name), error: long }))
    const end = summarize([{ ...emptyResult("unit"), failures }])
      .text.split("\n")
      .slice(-60)
      .join("\n")
    for (const name of names.slice(0, 14)) expect(end).toContain(`failed: ${name}\n`.slice(0, -1))
    expect(end).toContain("failed: and 46 more, of a.test.ts (46)")
    expect(end.match(/alone: npx vitest/g)).toHaveLength(14)
    expect(end).not.toContain("\u001b")
  })

  it("tells what failed before what waited for it in vain", () => {
    const waiting = Array.from({ length: 58 }, (_, index) => ({
      ...failure(`e2e/${index}.spec.ts > waits`),
      error: neverStarted,
    }))
    const build = { ...failure("e2e/build.setup.ts > builds"), error: "the build failed" }
    const { text } = summarize([{ ...emptyResult("e2e"), failures: [...waiting, build] }])
    expect(text.split("\n").slice(-60).join("\n")).toContain(
      "failed: e2e/build.setup.ts > builds\n  the build failed",
    )
  })

  it("prints the line of a browser test as it works without a build", () => {
    const command = ["playwright", "test", "--no-deps", "e2e/a.spec.ts"]
    const { text } = summarize([{ ...emptyResult("e2e"), failures: [{ ...failure("a"), command }] }])
    expect(text).toContain("alone: npx playwright test e2e/a.spec.ts")
  })

  it("names the ten files that took longest", () => {
    const files = Object.fromEntries(
      Array.from({ length: 12 }, (_, index) => [`${index}.test.ts`, index * 1_000]),
    )
    const { text } = summarize([{ ...emptyResult("unit"), passed: 12, files }])
    expect(text).toContain("slowest files  took\n11.test.ts     11.0 s\n")
    expect(text).toContain("\n2.test.ts      2.0 s\n\n")
    expect(text).not.toContain("\n1.test.ts")
  })

  it("gives the reason of every skip, once for all tests that share it", () => {
    const skipped = [
      { test: "a.test.ts > one", reason: "PostgreSQL was not found" },
      { test: "a.test.ts > two", reason: "PostgreSQL was not found" },
      { test: "c > d", reason: "only on macOS" },
    ]
    const { text, isGood } = summarize([{ ...emptyResult("contract"), passed: 1, skipped }])
    expect(text).toContain("skipped: 2 tests of a.test.ts: PostgreSQL was not found")
    expect(text).toContain("skipped: c > d: only on macOS")
    expect(lastLine(text)).toBe("1 passed, 0 failed, 3 skipped")
    expect(isGood).toBe(true)
  })

  it("shows what each provider keeps of the contract, suite by suite", () => {
    const outcome = (provider: string, suite: string, state: "passed" | "failed" | "skipped") => ({
      provider,
      suite,
      outcome: state,
    })
    const { text } = summarize([
      {
        ...emptyResult("contract"),
        passed: 3,
        failures: [failure("b.test.ts > fails")],
        contract: [
          outcome("pusher, msw", "delivery", "passed"),
          outcome("pusher, msw", "delivery", "failed"),
          outcome("pusher, msw", "order", "passed"),
          outcome("ably", "delivery", "skipped"),
        ],
      },
      { ...emptyResult("e2e"), passed: 1, contract: [outcome("ably", "browser", "passed")] },
    ])
    expect(text).toContain(
      [
        "contract     delivery  order  browser",
        "ably         skipped   -      1/1",
        "pusher, msw  1/2       1/1    -",
      ].join("\n"),
    )
  })

  it("prints what was measured, a table for each subject", () => {
    const weigh = (row: string, cells: Record<string, number>) => ({ table: "script, kB", row, cells })
    const { text } = summarize([
      {
        ...emptyResult("e2e"),
        passed: 2,
        figures: [
          weigh("pusher", { page: 293.5, "bare SDK": 16.4 }),
          weigh("ably", { page: 1310, other: 1 }),
          { table: "scrolling", row: "to the end", cells: { frames: 400 } },
        ],
      },
    ])
    expect(text).toContain(
      [
        "script, kB  page   bare SDK  other",
        "ably        1,310  -         1",
        "pusher      293.5  16.4      -",
        "",
        "scrolling   frames",
        "to the end  400",
      ].join("\n"),
    )
  })

  it("is not good when nothing ran", () => {
    const skipped = [{ test: "a", reason: "no browser" }]
    expect(summarize([]).isGood).toBe(false)
    expect(summarize([{ ...emptyResult("e2e"), skipped }]).isGood).toBe(false)
    expect(lastLine(summarize([]).text)).toBe("0 passed, 0 failed, 0 skipped")
  })

  it("reads no result where a runner left none", () => {
    const nothing = { results: [], running: [], isComplete: false }
    expect(readReport(join(tmpdir(), "no such folder"))).toEqual(nothing)
    expect(readReport(mkdtempSync(join(tmpdir(), "throughline-report-")))).toEqual(nothing)
  })
})
