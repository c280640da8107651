import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"

/**
 * `node emulators/clauses.ts` writes the table of each emulator's README: which test shows which clause of the
 * protocol. A test names its clauses at the beginning of its own name, as in "§4.5a a dropped socket resumes".
 */
export interface Clause {
  /** Of a section "4.5", of one statement in it "4.5a". */
  id: string
  title: string
  /** Of a checklist: the clauses that say the same at length. */
  repeats?: string[]
  /** Why it is nothing that the service does. */
  elsewhere?: string
  /** What the clause says besides, and no test shows. */
  untested?: string[]
}

export interface CitingTest {
  file: string
  name: string
  clauses: string[]
}

export const emulators = ["pusher", "ably"] as const

const begin = "<!-- clauses: written by `node emulators/clauses.ts` -->"
const end = "<!-- /clauses -->"

/** The README as it should be. Throws at a test that cites a clause that there isn't. */
export function withClauseTable(emulator: string, readme: string): string {
  const [before, rest] = readme.split(begin)
  const after = rest?.split(end)[1]
  if (before === undefined || after === undefined)
    throw new Error(`unable to place the clauses in ${emulator}/README.md; expected "${begin}" and "${end}"`)
  const folder = join(import.meta.dirname, emulator)
  const clauses: Clause[] = JSON.parse(readFileSync(join(folder, "clauses.json"), "utf8"))
  return `${before}${begin}\n\n${renderClauses(clauses, readTests(folder))}\n\n${end}${after}`
}

export function readReadme(emulator: string): string {
  return readFileSync(join(import.meta.dirname, emulator, "README.md"), "utf8")
}

function readTests(folder: string): CitingTest[] {
  const files = readdirSync(folder)
    .filter((file) => file.endsWith(".test.ts"))
    .toSorted()
  return files.flatMap((file) => findCitations(file, readFileSync(join(folder, file), "utf8")))
}

/** Names of tests are the string literals that begin with a clause. */
export function findCitations(file: string, source: string): CitingTest[] {
  return [...source.matchAll(/(["`])((?:§\d+(?:\.\d+)*[a-z]* )+)((?:(?!\1)[^\n\\]|\\.)+)\1/g)].map(
    ([, , cited = "", name = ""]) => ({
      file,
      name,
      clauses: cited.trim().replaceAll("§", "").split(" "),
    }),
  )
}

export function renderClauses(clauses: readonly Clause[], tests: readonly CitingTest[]): string {
  const ids = new Set(clauses.map(({ id }) => id))
  for (const { file, name, clauses: cited } of tests) {
    const unknown = cited.find((id) => !ids.has(id))
    if (unknown !== undefined)
      throw new Error(`unable to place "${name}" of ${file}; there is no clause §${unknown}`)
  }
  const testsOf = (id: string) => tests.filter((test) => test.clauses.includes(id))
  const hasParts = (id: string) =>
    clauses.some((other) => other.id.startsWith(id) && /^(\.|[a-z])/.test(other.id.slice(id.length)))
  const isShown = ({ id, repeats = [] }: Clause) =>
    testsOf(id).length > 0 || (repeats.length > 0 && repeats.every((other) => testsOf(other).length > 0))

  const rows = clauses
    .filter(({ id }) => testsOf(id).length > 0 || !hasParts(id))
    .map((clause) => {
      const shown = testsOf(clause.id).map(({ file, name }) => `${inCell(name)} ([${nameOf(file)}](${file}))`)
      const repeated = clause.repeats?.map((id) => `§${id}`).join(", ")
      const cell = [...shown, ...(repeated ? [`see ${repeated}`] : [])].join("<br>")
      return `| §${clause.id} | ${clause.title} | ${cell || `**none**${clause.elsewhere ? `: ${clause.elsewhere}` : ""}`} |`
    })

  const uncovered = clauses.flatMap((clause) => {
    const { id, title, elsewhere, untested = [] } = clause
    if (!isShown(clause) && !hasParts(id)) return [`- §${id} ${title}${elsewhere ? ` (${elsewhere})` : ""}`]
    return untested.map((what) => `- §${id} ${what}`)
  })
  return [
    `${tests.length} tests name the clauses they show.`,
    "",
    "| clause | | shown by |",
    "| --- | --- | --- |",
    ...rows,
    "",
    uncovered.length === 0 ? "No clause is uncovered." : "Uncovered:",
    ...(uncovered.length > 0 ? ["", ...uncovered] : []),
  ].join("\n")
}

function nameOf(file: string): string {
  return file.replace(/\.test\.ts$/, "")
}

/** As Markdown shows it in a cell. */
function inCell(name: string): string {
  return name.replaceAll("|", "\\|").replaceAll("<", "&lt;").replaceAll("*", "\\*").replaceAll("_", "\\_")
}

if (import.meta.main) {
  for (const emulator of emulators) {
    writeFileSync(
      join(import.meta.dirname, emulator, "README.md"),
      withClauseTable(emulator, readReadme(emulator)),
    )
  }
}
