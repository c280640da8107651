import { describe, expect, it } from "vitest"
import { anchorsOf, linksOf } from "./markdown.ts"

describe("the links of a document", () => {
  it.each([
    ["plain", "[a](x.md) ![b](y.png)", ["x.md", "y.png"]],
    ["with a title in double quotes", '[a](x.md "title")', ["x.md"]],
    ["with a title in single quotes", "[a](x.md 'title')", ["x.md"]],
    ["with a space in the target", "[a](<b c.md>)", ["b c.md"]],
    ["by name", "[a][the one]\n\n[The one]: x.md", ["x.md"]],
    ["by a name that is the text", "[a][]\n\n[a]: x.md 'title'", ["x.md"]],
    ["by a name that nothing defines", "[a][gone]", ["[gone]"]],
    ["by a text that nothing defines", "[a][]", ["[a]"]],
    ["behind code that holds a backtick", "``x`y`` [b](gone.md)", ["gone.md"]],
    ["behind a backtick alone", "a ` and [b](gone.md)", ["gone.md"]],
    ["not in code", "`[a](x.md)` ``[a](y.md) ` ``", []],
    ["not in code over two lines", "`[a]\n(x.md) [b](y.md)`", []],
    ["not in a block", "```md\n[a](x.md)\n```\n[b](y.md)", ["y.md"]],
    ["behind three backticks that begin no block", "```a``` [b](x.md)", ["x.md"]],
    ["not in a block of tildes", "~~~\n[a](x.md)\n```\n~~~\n[b](y.md)", ["y.md"]],
    ["not in a block that holds a block", "````md\n```\n[a](x.md)\n```\n````\n[b](y.md)", ["y.md"]],
    ["not in a block that nothing ends", "[b](y.md)\n\n~~~\n[a](x.md)", ["y.md"]],
  ])("%s", (_, text, links) => {
    expect(linksOf(text)).toEqual(links)
  })
})

describe("the anchors of a document", () => {
  it("are numbered as GitHub numbers them, without those in blocks of code", () => {
    const text = '# One, `two`\n## One two\n~~~\n# One two\n~~~\n## Three <a id="four">'
    expect([...anchorsOf(text)]).toEqual(["one-two", "one-two-1", "three-a-idfour", "four"])
  })
})
