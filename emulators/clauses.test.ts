import { describe, expect, it } from "vitest"
import { emulators, findCitations, readReadme, renderClauses, withClauseTable } from "./clauses.ts"

it.each(emulators)("%s/README.md is current; `node emulators/clauses.ts` makes it so", (emulator) => {
  const readme = readReadme(emulator)
  expect(readme).toBe(withClauseTable(emulator, readme))
})

describe("the clauses", () => {
  it("are read from the beginnings of test names, and from nowhere else", () => {
    const source = [
      'it("§1 §2.10b a name", () => {})',
      '])("§3 of %s", () => {})',
      '    "§4 on a line of its own",',
      "it(`§5 in backticks`, () => {})",
      "// As §6 says",
      'expect("of §7")',
    ].join("\n")
    expect(findCitations("a.test.ts", source)).toEqual([
      { file: "a.test.ts", name: "a name", clauses: ["1", "2.10b"] },
      { file: "a.test.ts", name: "of %s", clauses: ["3"] },
      { file: "a.test.ts", name: "on a line of its own", clauses: ["4"] },
      { file: "a.test.ts", name: "in backticks", clauses: ["5"] },
    ])
  })

  it("are listed when no test shows them, a repeated one when what it repeats isn't shown", () => {
    const clauses = [
      { id: "1", title: "Heading" },
      { id: "1.1", title: "Shown", untested: ["its rarest case"] },
      { id: "1.2", title: "Not shown" },
      { id: "2", title: "Another's", elsewhere: "the client's" },
      { id: "3.1", title: "Repeats what is shown", repeats: ["1.1"] },
      { id: "3.2", title: "Repeats what isn't", repeats: ["1.1", "1.2"] },
      { id: "4", title: "Of statements" },
      { id: "4a", title: "Not shown either" },
    ]
    expect(renderClauses(clauses, [{ file: "a.test.ts", name: "a | b", clauses: ["1.1"] }])).toBe(
      `1 tests name the clauses they show.

| clause | | shown by |
| --- | --- | --- |
| §1.1 | Shown | a \\| b ([a](a.test.ts)) |
| §1.2 | Not shown | **none** |
| §2 | Another's | **none**: the client's |
| §3.1 | Repeats what is shown | see §1.1 |
| §3.2 | Repeats what isn't | see §1.1, §1.2 |
| §4a | Not shown either | **none** |

Uncovered:

- §1.1 its rarest case
- §1.2 Not shown
- §2 Another's (the client's)
- §3.2 Repeats what isn't
- §4a Not shown either`,
    )
  })

  it("that don't exist can't be cited", () => {
    expect(() => renderClauses([], [{ file: "a.test.ts", name: "b", clauses: ["1"] }])).toThrow(
      'unable to place "b" of a.test.ts; there is no clause §1',
    )
  })
})
