import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"

/** What came of one suite's tests. */
export interface SuiteResult {
  suite: string
  passed: number
  failed: number
  /** What failed, as a reader would look for it. */
  failures: string[]
  skipped: { test: string; reason: string }[]
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
  failed: 0,
  failures: [],
  skipped: [],
})

/** Where the runners' reporters leave their results for `npm test`. */
const folderVariable = "THROUGHLINE_REPORT_DIR"
export const reportTo = (folder: string) => ({ [folderVariable]: folder })

/** For reporters: hands the results to `npm test`, if that is who runs them. */
export function writeResults(runner: string, results: readonly SuiteResult[]): void {
  const folder = process.env[folderVariable]
  if (!folder) return
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, `${runner}.json`), JSON.stringify(results))
}

export function readResults(folder: string): SuiteResult[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder).flatMap(
    (name) => JSON.parse(readFileSync(join(folder, name), "utf8")) as SuiteResult[],
  )
}

export interface Summary {
  text: string
  /** False when something failed, and when nothing ran. */
  isGood: boolean
}

/** The end of a test run: a line a suite, why anything was skipped, and the totals in the line that machines read. */
export function summarize(results: readonly SuiteResult[]): Summary {
  const lines: string[] = []
  const width = Math.max(0, ...results.map(({ suite }) => suite.length))
  for (const { suite, passed, failed, failures, skipped } of results) {
    lines.push(`${suite.padEnd(width)}  ${count({ passed, failed, skipped: skipped.length })}`)
    for (const failure of failures) lines.push(`  failed: ${failure}`)
    for (const [reason, tests] of Map.groupBy(skipped, (entry) => entry.reason)) {
      const files = [...new Set(tests.map(({ test }) => test.split(" > ")[0]))]
      const where = files.length > 3 ? `${files.length} files` : files.join(", ")
      const what = tests.length === 1 ? tests[0]?.test : `${tests.length} tests of ${where}`
      lines.push(`  skipped: ${what}: ${reason}`)
    }
  }
  const outcomes = results.flatMap(({ contract = [] }) => contract)
  if (outcomes.length > 0) lines.push("", ...matrix(outcomes))
  const figures = results.flatMap((result) => result.figures ?? [])
  for (const [title, rows] of Map.groupBy(figures, ({ table }) => table))
    lines.push("", ...figureTable(title, rows))
  const total = {
    passed: sum(results, ({ passed }) => passed),
    failed: sum(results, ({ failed }) => failed),
    skipped: sum(results, ({ skipped }) => skipped.length),
  }
  const ran = total.passed + total.failed > 0
  if (!ran) lines.push("No test ran.")
  lines.push("", count(total))
  return { text: lines.join("\n"), isGood: ran && total.failed === 0 }
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
