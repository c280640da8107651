import { describe, expect, it } from "vitest"
import { phrasesOf, tokensOf } from "./search-tokens.ts"

describe("the tokens of a text", () => {
  it.each([
    ["Hello, World!", "hello world"],
    ["東京都へ", "東京 京都 都へ へ"],
    ["ﾃｽﾄ ＡＢＣ１２", "テス スト ト abc12"],
    ["か\u3099", "が"],
    ["iPhone15を買った", "iphone15 を買 買っ った た"],
    ["한국어 글", "한국 국어 어 글"],
    ["サーバー", "サー ーバ バー ー"],
    ["Next.js don't snake_case a@b.c", "next js don t snake case a b c"],
    ["👩‍👩‍👧 🇯🇵 👍🏽 ☺️", "👩 👩 👧 🇯 🇵 👍 ☺"],
    ["ΟΔΟΣ οδος Σ", "οδοσ οδοσ σ"],
    ["\u202ereversed\u202c so\u00adft", "reversed soft"],
    [" \u0000 '\" & | ! <-> :* ( ) \\ -- ; %", ""],
    ["\ud800 x \udfff", "x"],
  ])("of %j are %j", (text, tokens) => {
    expect(tokensOf(text).join(" ")).toBe(tokens)
  })

  it("are bounded, in number and in length", () => {
    expect(tokensOf("ﷺ".repeat(4_000)).length).toBeLessThanOrEqual(16_000)
    expect(tokensOf("㌖".repeat(4_000)).length).toBe(16_000)
    expect(tokensOf("x".repeat(4_000))).toEqual(["x".repeat(64)])
    const zalgo = tokensOf(`z${"\u0335\u0322\u0353".repeat(1_000)}`)
    expect([...(zalgo[0] ?? "")].length).toBe(64)
  })
})

describe("what a query asks for", () => {
  const asked = (query: string) =>
    phrasesOf(query).map(({ tokens, isPrefix }) => `${tokens.join(" ")}${isPrefix ? "*" : ""}`)

  it.each([
    ["hello wor", ["hello", "wor*"]],
    ["next.j", ["next j*"]],
    ["東京", ["東京"]],
    ["東京都", ["東京 京都"]],
    ["東", ["東*"]],
    ["東 tower", ["東*", "tower*"]],
    ["東京タワーtower", ["東京 京タ タワ ワー ー tower*"]],
    ["3月", ["3 月*"]],
    ["月b", ["月 b*"]],
    ["🎉", ["🎉"]],
    ["  '\"&|!  ", []],
    ["", []],
    ["-", []],
  ])("%j: %j", (query, phrases) => {
    expect(asked(query)).toEqual(phrases)
  })

  it("is bounded", () => {
    const many = phrasesOf("ab ".repeat(4_000))
    expect(many.flatMap(({ tokens }) => tokens)).toHaveLength(40)
    expect(phrasesOf("あ".repeat(4_000))[0]).toMatchObject({ isPrefix: false })
    expect(phrasesOf("あ".repeat(4_000)).flatMap(({ tokens }) => tokens)).toHaveLength(40)
  })
})
