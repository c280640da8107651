import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { stripVTControlCharacters } from "node:util"

/** A test that failed, or what failed outside any test. */
export interface Failure {
  /** As a reader would look for it: file, then name. */
  test: string
  /** The error's first lines. */
  error: string
  /** What runs it alone, program first; null where nothing does. */
  command: readonly string[] | null
}

/** What came of one suite's tests. */
export interface SuiteResult {
  suite: string
  /** The flaky ones, too. */
  passed: number
  failures: Failure[]
  /** What failed, and passed when it was run again alone. */
  flaky: Failure[]
  skipped: { test: string; reason: string }[]
  /** How long each file took, in ms. */
  files: Record<string, number>
  /** One for each test that shows what a provider keeps, for the matrix. */
  contract?: ContractOutcome[]
  /** What tests measured on the way. */
  figures?: Figure[]
}

/** One row of a table of what was measured. */
export interface Figure {
  /** What the table is about, units included. */
  table: string
  row: string
  cells: Readonly<Record<string, number>>
}

/** The kind of annotation by which a browser test hands over a `Figure`, as JSON. */
export const figureAnnotation = "figure"

export interface ContractOutcome {
  /** And what it runs on, as in "pusher, msw". */
  provider: string
  suite: string
  outcome: "passed" | "failed" | "skipped"
}

export const emptyResult = (suite: string): SuiteResult => ({
  suite,
  passed: 0,
  failures: [],
  flaky: [],
  skipped: [],
  files: {},
})

/** An error's first lines, without colours. */
export function firstLines(message: string, count = 6): string {
  const lines = stripVTControlCharacters(message).split("\n")
  return lines
    .filter((line) => line.trim() !== "")
    .slice(0, count)
    .map((line) => line.slice(0, 200))
    .join("\n")
}

/** What matches just this text. */
export const toPattern = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")

/** Where the runners' reporters leave their results for `npm test`. */
const folderVariable = "THROUGHLINE_REPORT_DIR"
export const reportTo = (folder: string) => ({ [folderVariable]: folder })

/** What a runner has to say at any time: a runner that is ended in the middle has said what it found until then. */
export interface Report {
  results: SuiteResult[]
  /** The files, or tests, that have begun and not ended. */
  running: string[]
  /** Whether the runner got to its end: only then is what it doesn't name known to have passed. */
  isComplete: boolean
}

/** For reporters: hands the results to `npm test`, if that is who runs them. */
export function writeReport(runner: string, report: Report): void {
  const folder = process.env[folderVariable]
  if (!folder) return
  mkdirSync(folder, { recursive: true })
  // Whole or not at all: this process may be ended at any moment.
  const path = join(folder, `${runner}.json`)
  writeFileSync(`${path}.part`, JSON.stringify(report))
  renameSync(`${path}.part`, path)
}

export function readReport(folder: string): Report {
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(".json")) : []
  const reports = names.map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")) as Report)
  return {
    results: reports.flatMap(({ results }) => results),
    running: reports.flatMap(({ running }) => running),
    isComplete: reports.length > 0 && reports.every(({ isComplete }) => isComplete),
  }
}

export interface Summary {
  text: string
  /** False when something failed, when more was flaky than is borne, and when nothing ran. */
  isGood: boolean
}

/** More flaky tests than this, and the run has failed. */
export const flakyLimit = 3
const slowestCount = 10
/** So many failures with the first lines of their errors, so many more with one line, the rest by file: 60 lines hold it all. */
const detailed = { failures: 4, lines: 4 }
const briefFailures = 10
/** What a runner says of a test that waited for another that failed: the other's error says more. */
export const neverStarted = "it never started, or didn't end"

/** The end of a test run: tables, a line a suite, what failed, and the totals in the line that machines read. */
export function summarize(results: readonly SuiteResult[]): Summary {
  const lines: string[] = []
  const outcomes = results.flatMap(({ contract = [] }) => contract)
  if (outcomes.length > 0) lines.push(...matrix(outcomes), "")
  const figures = results.flatMap((result) => result.figures ?? [])
  for (const [title, rows] of Map.groupBy(figures, ({ table }) => table))
    lines.push(...figureTable(title, rows), "")
  lines.push(...slowestFiles(results))

  const width = Math.max(0, ...results.map(({ suite }) => suite.length))
  for (const { suite, passed, failures, skipped } of results) {
    lines.push(
      `${suite.padEnd(width)}  ${count({ passed, failed: failures.length, skipped: skipped.length })}`,
    )
    for (const [reason, tests] of Map.groupBy(skipped, (entry) => entry.reason)) {
      const files = [...new Set(tests.map(({ test }) => test.split(" > ")[0]))]
      const where = files.length > 3 ? `${files.length} files` : files.join(", ")
      const what = tests.length === 1 ? tests[0]?.test : `${tests.length} tests of ${where}`
      lines.push(`  skipped: ${what}: ${reason}`)
    }
  }
  const flaky = results.flatMap((result) => result.flaky)
  const failures = results.flatMap((result) => result.failures)
  lines.push(...tell("flaky", flaky), ...tell("failed", failures))
  const total = {
    passed: sum(results, ({ passed }) => passed),
    failed: failures.length,
    skipped: sum(results, ({ skipped }) => skipped.length),
  }
  const ran = total.passed + total.failed > 0
  if (!ran) lines.push("", "No test ran.")
  if (flaky.length > flakyLimit)
    lines.push("", `${flaky.length} tests are flaky, and ${flakyLimit} are the most that are borne.`)
  lines.push("", count(total))
  return { text: lines.join("\n"), isGood: ran && failures.length === 0 && flaky.length <= flakyLimit }
}

/** Each with its first error and the command that runs it alone; what never started after what did. */
function tell(what: string, failures: readonly Failure[]): string[] {
  const started = failures.filter(({ error }) => error !== neverStarted)
  const sorted = [...started, ...failures.filter(({ error }) => error === neverStarted)]
  const [first, next] = [sorted.slice(0, detailed.failures), sorted.slice(detailed.failures)]
  const rest = next.slice(briefFailures)
  const files = [...Map.groupBy(rest, ({ test }) => test.split(" > ")[0])].map(
    ([file, { length }]) => `${file} (${length})`,
  )
  const more = `${what}: and ${rest.length} more, of ${files.slice(0, 10).join(", ")}${files.length > 10 ? ", …" : ""}`
  return [
    ...first.flatMap(({ test, error, command }) => [
      "",
      `${what}: ${test}`,
      ...error
        .split("\n")
        .slice(0, detailed.lines)
        .map((line) => `  ${line}`),
      ...alone(command),
    ]),
    ...next
      .slice(0, briefFailures)
      .flatMap(({ test, error, command }) => [
        `${what}: ${test}: ${error.split("\n")[0]}`,
        ...alone(command),
      ]),
    ...(rest.length > 0 ? [more] : []),
  ]
}

/** Whoever copies it has no build yet, as the run had that the test was repeated in. */
const alone = (command: Failure["command"]) =>
  command
    ? [
        `  alone: npx ${command
          .filter((word) => word !== "--no-deps")
          .map(quote)
          .join(" ")}`,
      ]
    : []

const quote = (word: string) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)

function slowestFiles(results: readonly SuiteResult[]): string[] {
  const files = results.flatMap(({ files }) => Object.entries(files)).toSorted(([, a], [, b]) => b - a)
  const rows = files.slice(0, slowestCount).map(([file, ms]) => [file, `${(ms / 1000).toFixed(1)} s`])
  return rows.length === 0 ? [] : [...inColumns([["slowest files", "took"], ...rows]), ""]
}

/** Provider by suite: how many of its tests passed. */
function matrix(outcomes: readonly ContractOutcome[]): string[] {
  const suites = [...new Set(outcomes.map(({ suite }) => suite))]
  const rows = [...Map.groupBy(outcomes, ({ provider }) => provider)].toSorted(([a], [b]) => (a < b ? -1 : 1))
  const cellOf = (ofProvider: readonly ContractOutcome[], suite: string) => {
    const cell = ofProvider.filter((outcome) => outcome.suite === suite)
    const passed = cell.filter(({ outcome }) => outcome === "passed").length
    if (cell.length === 0) return "-"
    if (cell.every(({ outcome }) => outcome === "skipped")) return "skipped"
    return `${passed}/${cell.length}`
  }
  return inColumns([
    ["contract", ...suites],
    ...rows.map(([provider, ofProvider]) => [provider, ...suites.map((suite) => cellOf(ofProvider, suite))]),
  ])
}

function figureTable(title: string, figures: readonly Figure[]): string[] {
  const columns = [...new Set(figures.flatMap(({ cells }) => Object.keys(cells)))]
  const rows = figures.toSorted((a, b) => (a.row < b.row ? -1 : 1))
  const cellOf = ({ cells }: Figure, column: string) => cells[column]?.toLocaleString("en-US") ?? "-"
  return inColumns([
    [title, ...columns],
    ...rows.map((figure) => [figure.row, ...columns.map((column) => cellOf(figure, column))]),
  ])
}

function inColumns(table: readonly (readonly string[])[]): string[] {
  const widths = table[0]?.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0))) ?? []
  return table.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  )
}

const sum = (results: readonly SuiteResult[], value: (result: SuiteResult) => number) =>
  results.reduce((total, result) => total + value(result), 0)

const count = ({ passed, failed, skipped }: { passed: number; failed: number; skipped: number }) =>
  `${passed} passed, ${failed} failed, ${skipped} skipped`
