import { describe, expect, it } from "vitest"
import fc from "../../realtime/testing/fast-check.ts"
import { type Mentioned, parseRichText, plainTextOf, type RichBlock, type RichInline } from "./rich-text.ts"

type Node = RichBlock | RichInline

const people: Mentioned[] = [
  { id: "1", name: "Aki" },
  { id: "2", name: "Aki Ito" },
  { id: "3", name: "アキ" },
]

/** The nodes in short: `[strong a [emphasis b]]`. */
function show(node: Node): string {
  if (node.kind === "text") return node.text
  const inside = "children" in node ? node.children.map(show).join("") : node.text
  const mark = node.kind === "mention" ? `mention ${node.id}` : node.kind
  const language = node.kind === "code-block" && node.language ? ` ${node.language}` : ""
  return `[${mark}${language} ${inside}]`
}

const read = (text: string) =>
  parseRichText(text, people)
    .map((block) => (block.kind === "paragraph" ? block.children.map(show).join("") : show(block)))
    .join(" / ")

const plain = (node: Node): string =>
  "children" in node
    ? node.children.map(plain).join(node.kind === "quote" ? "\n" : "")
    : node.kind === "code-block"
      ? `${node.language}\n${node.text}`
      : node.text

const plainOf = (text: string) => parseRichText(text, people).map(plain).join("\n")

const depthOf = (node: Node): number =>
  "children" in node ? 1 + Math.max(0, ...node.children.map(depthOf)) : 0

describe("what a text says without its marks", () => {
  it.each([
    ["a **b _c_** ~~d~~ `e`", "a b c d e"],
    ["> quoted\nsaid", "quoted\nsaid"],
    ["```ts\nlet a\n```\nthen", "let a\nthen"],
    ["see https://example.com/, **open", "see https://example.com/, **open"],
  ])("of %j is %j", (text, plain) => expect(plainTextOf(text)).toBe(plain))
})

describe("marks", () => {
  it.each([
    ["plain", "plain"],
    ["**a** *b* _c_ ~~d~~ `e`", "[strong a] [emphasis b] [emphasis c] [strike d] [code e]"],
    ["***a***", "[emphasis [strong a]]"],
    ["**a *b***", "[strong a [emphasis b]]"],
    ["***a** b*", "[emphasis [strong a] b]"],
    ["~~**a**~~", "[strike [strong a]]"],
    ["*a **b*", "[emphasis a **b]"],
    ["`**a**` ``b`c`` ```d```", "[code **a**] [code b`c] [code d]"],
    // Words that follow one another without a space, with and without punctuation inside.
    ["これは**重要**です", "これは[strong 重要]です"],
    ["これは**「重要」**です", "これは[strong 「重要」]です"],
    ["**テスト。**テスト", "[strong テスト。]テスト"],
    ["また*今度*ね、_はい。_", "また[emphasis 今度]ね、[emphasis はい。]"],
    ["마크다운**(Markdown)**을", "마크다운[strong (Markdown)]을"],
    ["**a", "**a"],
    ["a**", "a**"],
    ["** a **", "** a **"],
    ["**a*", "**a*"],
    ["****a****", "****a****"],
    ["2*3*4 = 24", "2*3*4 = 24"],
    ["snake_case_name __init__", "snake_case_name __init__"],
    ["`a", "`a"],
    ["*a\nb*", "*a\nb*"],
  ])("%j: %s", (text, expected) => {
    expect(read(text)).toBe(expected)
  })

  it.each([
    "(*^_^*)",
    "(*´ω｀*)",
    "(*'ω'*)",
    "(*ﾟ▽ﾟ*)",
    "(*_*)",
    "(>_<)",
    "(^_^)/",
    "m(_ _)m",
    "_(:3」∠)_",
    "T_T",
    "(;_;)",
  ])("leave the face %s alone", (face) => {
    expect(read(`${face} はい ${face}`)).toBe(`${face} はい ${face}`)
  })
})

describe("blocks", () => {
  it.each([
    ["> a\n> b\nc", "[quote [paragraph a\nb]] / c"],
    ["> a\n> > b", "[quote [paragraph a][quote [paragraph b]]]"],
    [">_<", ">_<"],
    [">>1", ">>1"],
    ["```ts\nlet a = **b**\n\n```\nc", "[code-block ts let a = **b**\n] / c"],
    ["```\na```", "[code-block a]"],
    ["```let a = 1\nb\n```", "[code-block let a = 1\nb]"],
    ["> ```\n> a\n> ```", "[quote [code-block a]]"],
    ["```\nnever closed", "```\nnever closed"],
    ["a\n\n\nb", "a\n\n\nb"],
  ])("%j: %s", (text, expected) => {
    expect(read(text)).toBe(expected)
  })
})

describe("links", () => {
  it.each([
    ["https://example.comです", "[link https://example.com]です"],
    ["見てhttps://example.com/a?b=c#d。", "見て[link https://example.com/a?b=c#d]。"],
    ["(https://a.b/c_(d))", "([link https://a.b/c_(d)])"],
    ["HTTP://a.b!", "[link HTTP://a.b]!"],
    ["**https://a.b/*c**", "[strong [link https://a.b/*c]]"],
    ["https://a.b/_c_d_", "[link https://a.b/_c_d]_"],
    ["xhttps://a.b", "xhttps://a.b"],
    ["https://", "https://"],
    ["https://日本語.jp", "https://日本語.jp"],
    ["(https://ja.a.b/wiki/日本語)", "([link https://ja.a.b/wiki/日本語])"],
    ["https://a.b/wiki/東京の歴史?x=図#節", "[link https://a.b/wiki/東京の歴史?x=図#節]"],
    ["見てhttps://a.b/wiki/東京タワー。次", "見て[link https://a.b/wiki/東京タワー]。次"],
    ["https://a.b/wikiを見て", "[link https://a.b/wiki]を見て"],
    ["https://a.b/です", "[link https://a.b/]です"],
    ["https://a.b/wiki/München_Süd", "[link https://a.b/wiki/München_Süd]"],
    ["https://a.b/wiki/Москва, да", "[link https://a.b/wiki/Москва], да"],
    ["https://a.b/x\u05d0\u202ey", "[link https://a.b/x]\u05d0\u202ey"],
    ["https://münchen.de", "https://münchen.de"],
    ["https://[", "https://["],
    ["https://bank.example@evil.example/", "https://bank.example@evil.example/"],
    ["https://bank.example:443@evil.example", "https://bank.example:443@evil.example"],
    ["https://a.b/@c", "[link https://a.b/@c]"],
    ["`https://a.b`", "[code https://a.b]"],
  ])("%j: %s", (text, expected) => {
    expect(read(text)).toBe(expected)
  })

  it("go to the web only", () => {
    const schemes = [
      "javascript:alert(1)",
      "data:text/html,a",
      "vbscript:a",
      "file:///etc",
      "blob:https:",
      "JaVaScRiPt://a",
    ]
    for (const scheme of schemes) expect(read(scheme)).toBe(scheme)
    const anything = fc.array(
      fc.constantFrom(...schemes, "https://", "a.b", "/", "*", "(", ")", "[", " ", "あ", "\n"),
    )
    const visit = (node: Node): void => {
      if (node.kind === "link") expect(["http:", "https:"]).toContain(new URL(node.url).protocol)
      if ("children" in node) node.children.forEach(visit)
    }
    fc.assert(fc.property(anything, (parts) => parseRichText(parts.join("")).forEach(visit)))
  })
})

describe("mentions", () => {
  it.each([
    ["@Aki @Aki Ito!", "[mention 1 @Aki] [mention 2 @Aki Ito]!"],
    ["＠アキさん", "[mention 3 ＠アキ]さん"],
    ["**@Aki**", "[strong [mention 1 @Aki]]"],
    ["@Akiko", "@Akiko"],
    ["mail@Aki", "mail@Aki"],
    ["`@Aki`", "[code @Aki]"],
    ["@Ben", "@Ben"],
  ])("%j: %s", (text, expected) => {
    expect(read(text)).toBe(expected)
  })
})

describe("whatever is typed", () => {
  /** Few characters, those that mean something above all, so that they meet. */
  const hostile = fc
    .array(
      fc.constantFrom(
        ...[
          "*",
          "**",
          "***",
          "_",
          "~~",
          "~",
          "`",
          "``",
          "```",
          "> ",
          ">",
          "\n",
          " ",
          "(",
          ")",
          "a",
          "b",
          "あ",
          "、",
        ],
        ...["https://a.b", "https://", "@Aki", "@", "ts", "<b>", "\u202e", "e\u0301", "👨‍👩‍👧", "\ud83d"],
      ),
      { maxLength: 60 },
    )
    .map((parts) => parts.join(""))
  const anything = fc.oneof(hostile, fc.string({ unit: "binary", maxLength: 200 }), fc.string())

  it("loses nothing but marks: the rest stands there in its order", () => {
    const withoutMarks = (text: string) => text.replaceAll(/[*_~`>\s]/g, "")
    fc.assert(
      fc.property(anything, (text) => {
        expect(withoutMarks(plainOf(text))).toBe(withoutMarks(text))
      }),
      { numRuns: 2000 },
    )
  })

  it("shows the marks that didn't mark anything: what is shown is what was typed, with characters left out", () => {
    fc.assert(
      fc.property(anything, (text) => {
        let at = 0
        for (const character of plainOf(text)) {
          const next = text.indexOf(character, at)
          // Blocks and a code block's language are told apart by a line's end of ours.
          if (character === "\n" && next === -1) continue
          expect(next).toBeGreaterThanOrEqual(0)
          if (character !== "\n") at = next + character.length
        }
      }),
    )
  })

  it("isn't changed where there is no mark in it", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        fc.pre(!/[*_~`>]/.test(text))
        expect(plainOf(text)).toBe(text)
      }),
    )
  })

  it("nests a few levels deep at most", () => {
    for (const text of [
      "*_あ".repeat(500) + "あ_*".repeat(500),
      "> ".repeat(2000),
      "**~~".repeat(500) + "あ~~**".repeat(500),
    ]) {
      expect(Math.max(...parseRichText(text).map(depthOf))).toBeLessThanOrEqual(12)
      expect(plainOf(text).length).toBeGreaterThan(0)
    }
  })
})
