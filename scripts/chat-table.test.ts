import { readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { projects } from "../e2e/tiers.ts"

const root = join(import.meta.dirname, "..")

/** The lines of the tables, but for their heads: each is of two cells, and of tests that are named in the second. */
const lines = readFileSync(join(root, "docs/chat.md"), "utf8")
  .split("\n")
  .filter((line) => line.startsWith("|") && line !== "| expected | shown by |" && line !== "| --- | --- |")

/** `file` "title", "title"; `file` "title". */
const group = /`([^`]+)` ("[^"]+"(?:, "[^"]+")*)/

function testsOf(line: string): { file: string; title: string }[] {
  const [, shown = ""] = /^\| [^|]+ \| ([^|]+) \|$/.exec(line) ?? []
  return shown.split(/; (?=`)/).flatMap((part) => {
    const [whole, file = "", titles = ""] = group.exec(part) ?? []
    if (whole !== part) throw new Error(`unable to read "${part}" of ${line}`)
    return [...titles.matchAll(/"([^"]+)"/g)].map(([, title = ""]) => ({ file, title }))
  })
}

/** Also where the name is on the next line, after parameters, or goes on. */
const isNameOfTest = (title: string, source: string) =>
  ['"', "`"].some((quote) => {
    const name = `${quote}${title}`.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
    return new RegExp(String.raw`\b(?:test|it)(?:\.\w+(?:\((?:[^()]|\([^()]*\))*\))?)*\(\s*${name}`).test(
      source,
    )
  })

const specs = new Set(projects.flatMap(({ test = [], system = [] }) => [...test, ...system]))

describe("what the chat does is shown by tests that are there", () => {
  it.each(lines)("%s", (line) => {
    for (const { file, title } of testsOf(line)) {
      const isSpec = !file.includes("/")
      if (isSpec) expect([...specs]).toContain(file.replace(/\.spec\.ts$/, ""))
      const source = readFileSync(join(root, isSpec ? `e2e/${file}` : file), "utf8")
      expect([file, title, isNameOfTest(title, source)]).toEqual([file, title, true])
    }
  })

  it.each([
    "| what | nothing |",
    "| what | `a.test.ts` one |",
    '| what | `a.test.ts` "one" and "two" |',
    '| what | `a.test.ts` "one" | more |',
    '| what | `a.test.ts` "one"; "two" |',
    '| what | `a.test.ts` "one"; `b.test.ts` |',
  ])("which is said of a line that isn't understood, such as %s", (line) => {
    expect(() => testsOf(line)).toThrow("unable to read")
  })

  it("but for what is only mentioned", () => {
    const source = `it.each([[1]])("is %s there", …); it.skipIf(is(no))(\n  "is, too", …); describe("is not"); // test "nor this"`
    expect(["is %s", "is, too"].map((title) => isNameOfTest(title, source))).toEqual([true, true])
    expect(["is not", "nor this", "there"].map((title) => isNameOfTest(title, source))).toEqual([
      false,
      false,
      false,
    ])
  })
})

it("the table has a line for each of what is expected", () => {
  expect(lines.length).toBeGreaterThan(50)
})
