import { describe, expect, it } from "vitest"
import { highlight } from "./highlight.ts"

/** Hits in brackets. */
const marked = (text: string, query: string, maxLength?: number) =>
  highlight(text, query, maxLength)
    .map((part) => (part.isHit ? `[${part.text}]` : part.text))
    .join("")

describe("highlighting what was searched for", () => {
  it.each([
    ["Good morning, harbour!", "morning", "Good [morning], harbour!"],
    ["Good morning, harbour!", "HARBOUR good", "[Good] morning, [harbour]!"],
    ["one two one", "one", "[one] two [one]"],
    ["今日は港で会いましょう", "港で", "今日は[港で]会いましょう"],
    ["ﾄｳｷｮｳ駅とトウキョウ駅", "トウキョウ", "[ﾄｳｷｮｳ]駅と[トウキョウ]駅"],
    ["ＡＢＣ and abc", "abc", "[ＡＢＣ] and [abc]"],
    ["がぎぐ", "か\u3099き\u3099", "[がぎ]ぐ"],
    ["overlapping aaaa", "aa aaa", "overlapping [aaaa]"],
    ["abc abcd", "ab bc", "[abc] [abc]d"],
    ["nothing of it", "elsewhere", "nothing of it"],
    ["no query", "  ", "no query"],
    ["a family 👨‍👩‍👧 together", "👨‍👩‍👧", "a family [👨‍👩‍👧] together"],
    ["a (regular) [expression].*", ".*", "a (regular) [expression][.*]"],
    ["line one\n\n  line two", "line", "[line] one [line] two"],
    ["", "x", ""],
  ])("%s, by %s", (text, query, expected) => {
    expect(marked(text, query)).toBe(expected)
  })

  it("shows of a long text what stands around the first hit", () => {
    const text = `${"before ".repeat(100)}needle${" after".repeat(100)}`
    const shown = marked(text, "needle", 100)
    expect(shown).toContain("[needle]")
    expect(shown.startsWith("…")).toBe(true)
    expect(shown.endsWith("…")).toBe(true)
    expect(shown.length).toBeLessThan(110)
  })

  it("shows the beginning and the end where the hit is there", () => {
    expect(marked(`needle${" after".repeat(100)}`, "needle", 50).startsWith("[needle]")).toBe(true)
    expect(marked(`${"before ".repeat(100)}needle`, "needle", 50).endsWith("[needle]")).toBe(true)
  })
})
