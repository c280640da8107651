/** A document without its blocks of code, by backticks or tildes; one that nothing ends goes on to the end. */
const withoutBlocks = (text: string) =>
  text.replace(/^ *(`{3,}(?![^\n`]*`)|~{3,})[\s\S]*?(?:^ *\1[`~]*[ \t]*$|(?![\s\S]))/gm, "")

/** A document without code, also that within a line, which ends at as many backticks as it began with. */
const withoutCode = (text: string) =>
  withoutBlocks(text).replace(/(?<!`)(`+)(?!`)(?:(?!\n\n)[\s\S])*?(?<!`)\1(?!`)/g, "")

const targetAndTitle = /(?:<([^<>\n]*)>|([^\s<>()]+))(?:\s+(?:"[^"]*"|'[^']*'|\([^()]*\)))?/.source

/** Where a document's links and pictures lead; `[name]` for one by a name that the document doesn't define. */
export function linksOf(text: string): string[] {
  const plain = withoutCode(text)
  const inline = [...plain.matchAll(new RegExp(`\\]\\(\\s*${targetAndTitle}\\s*\\)`, "g"))]
  const defined = [...plain.matchAll(new RegExp(`^ {0,3}\\[([^\\]]+)\\]:\\s+${targetAndTitle}`, "gm"))]
  const names = new Set(defined.map(([, name = ""]) => name.toLowerCase()))
  const undefinedOnes = [...plain.matchAll(/\[([^[\]]+)\]\[([^[\]]*)\]/g)]
    .map(([, shown = "", name]) => name || shown)
    .filter((name) => !names.has(name.toLowerCase()))
  return [
    ...inline.map(([, bracketed, bare]) => bracketed ?? bare ?? ""),
    ...defined.map(([, , bracketed, bare]) => bracketed ?? bare ?? ""),
    ...undefinedOnes.map((name) => `[${name}]`),
  ]
}

const slugOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M}\- _]/gu, "")
    .replaceAll(" ", "-")

/** What a heading is called in links, as GitHub calls it, where those before it have `taken` theirs. */
export function anchorOf(heading: string, taken: { has(anchor: string): boolean }): string {
  const slug = slugOf(heading)
  let anchor = slug
  for (let count = 1; taken.has(anchor); count++) anchor = `${slug}-${count}`
  return anchor
}

/** A document's headings as they are read, each by what it is called in links. */
export function headingsOf(text: string): Map<string, string> {
  const found = new Map<string, string>()
  for (const [, heading = ""] of withoutBlocks(text).matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm)) {
    const shown = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").replace(/[`*]/g, "")
    found.set(anchorOf(shown, found), shown)
  }
  return found
}

/** What a document's headings are called in links, and what `id`s stand in its HTML. */
export function anchorsOf(text: string): Set<string> {
  const ids = [...withoutBlocks(text).matchAll(/\bid="([^"]+)"/g)].map(([, id = ""]) => id)
  return new Set([...headingsOf(text).keys(), ...ids])
}

/** What is code within a line, each once. */
function codesOf(text: string): string[] {
  const found = withoutBlocks(text).matchAll(/(?<!`)`([^`]+)`(?!`)/g)
  return [...new Set(Array.from(found, ([, code = ""]) => code.replace(/\s+/g, " ")))].toSorted()
}

/**
 * What is the same in every language: how a document is divided, its code and commands, the names that it speaks of, where
 * its links lead.
 */
export function skeletonOf(text: string) {
  return {
    headings: [...withoutCode(text).matchAll(/^(#+) /gm)].map(([, level]) => level),
    blocks: text.match(/```[\s\S]*?```/g),
    codes: codesOf(text),
    rows: (text.match(/^\|.*\|$/gm) ?? []).length,
    // A guide leads to the same guide in its language, where there is one; and headings are called otherwise there.
    links: [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) =>
      target.replace(/\.ja\.md/, ".md").replace(/\.md#.*/, ".md"),
    ),
  }
}
