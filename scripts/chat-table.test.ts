import { readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"

const root = join(import.meta.dirname, "..")
const rows = readFileSync(join(root, "docs/chat.md"), "utf8")
  .split("\n")
  .flatMap((line) => {
    const [, expected, shown] =
      line.split(" | ").length === 2 ? (/^\| (.+) \| (.+) \|$/.exec(line) ?? []) : []
    return expected && shown && expected !== "expected" && expected !== "---" ? [{ expected, shown }] : []
  })

/** `file` "title", "title"; `file` "title". */
const testsOf = (shown: string) =>
  [...shown.matchAll(/`([^`]+)`((?:,? "[^"]+")+)/g)].flatMap(([, file = "", titles = ""]) =>
    [...titles.matchAll(/"([^"]+)"/g)].map(([, title = ""]) => ({ file, title })),
  )

describe("what the chat does is shown by tests that are there", () => {
  it.each(rows)("$expected", ({ shown }) => {
    const tests = testsOf(shown)
    expect(tests).not.toEqual([])
    for (const { file, title } of tests) {
      const source = readFileSync(join(root, file.includes("/") ? file : `e2e/${file}`), "utf8")
      expect([file, title, source.includes(title)]).toEqual([file, title, true])
    }
  })
})

it("the table has a line for each of what is expected", () => {
  expect(rows.length).toBeGreaterThan(50)
})
