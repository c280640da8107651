import { afterEach, expect, it, vi } from "vitest"
import { graphemesOf } from "./graphemes.ts"

afterEach(() => void vi.unstubAllGlobals())

const texts = [
  ["", []],
  ["abc", ["a", "b", "c"]],
  ["が\u304b\u3099", ["が", "\u304b\u3099"]],
  ["e\u0301!", ["e\u0301", "!"]],
  ["👩‍👩‍👧👍🏽", ["👩‍👩‍👧", "👍🏽"]],
  ["🇯🇵🇫🇷", ["🇯🇵", "🇫🇷"]],
  ["🏴󠁧󠁢󠁥󠁮󠁧󠁿❤️1️⃣", ["🏴󠁧󠁢󠁥󠁮󠁧󠁿", "❤️", "1️⃣"]],
  ["a\r\nb\n", ["a", "\r\n", "b", "\n"]],
] as const

it.each(texts)("%j has the characters that people see", (text, graphemes) => {
  expect(graphemesOf(text)).toEqual(graphemes)
})

it.each(texts)("%j has them in a browser that can't tell, too", (text, graphemes) => {
  vi.stubGlobal("Intl", { ...Intl, Segmenter: undefined })
  expect(graphemesOf(text)).toEqual(graphemes)
})
