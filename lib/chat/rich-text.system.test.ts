import { expect, it } from "vitest"
import { parseRichText } from "./rich-text.ts"

const people = [
  { id: "1", name: "Aki" },
  { id: "2", name: "春子" },
]

it("rich text takes time that grows with its length and no faster", () => {
  const units = [
    ...[
      "*",
      "* ",
      "*a ",
      "a* ",
      "**あ",
      "*あ_い",
      "*a_b~~c**d ",
      "***a",
      "` `` ``` ",
      "`a ",
      "https://[",
      "https://a",
    ],
    ...["xhttps://a ", "https://a.b/))) ", "@Aki", "> ", "```\n", "```a\n> ", "~~あ", "\n", "*_あ"],
  ]
  // The processor's time: what else runs on the machine takes none of it.
  const timeOf = (text: string) => {
    const started = process.cpuUsage()
    parseRichText(text, people)
    return process.cpuUsage(started).user / 1000
  }
  const slow = units.filter((unit) => {
    const of = (length: number) => unit.repeat(length / unit.length)
    timeOf(of(8_000))
    // Eight times the length: a square would take 64 times as long. One look in which nothing else of this process ran is enough.
    return [1, 2, 3, 4, 5].every(() => timeOf(of(64_000)) > 32 * Math.max(0.5, timeOf(of(8_000))))
  })
  expect(slow).toEqual([])
})
