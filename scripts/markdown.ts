/** A document without what stands in its blocks of code, and in code within a line. */
const withoutCode = (text: string) => text.replace(/^( *)```[\s\S]*?^\1```/gm, "").replace(/`[^`\n]+`/g, "")

/** Where a document's links and pictures lead. */
export function linksOf(text: string): string[] {
  const plain = withoutCode(text)
  const inline = [...plain.matchAll(/\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)/g)]
  const named = [...plain.matchAll(/^\[[^\]]+\]:\s+(\S+)/gm)]
  return [...inline, ...named].map(([, target = ""]) => target)
}

export const slugOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M}\- _]/gu, "")
    .replaceAll(" ", "-")

/** What a document's headings are called in links, as GitHub calls them, and what `id`s stand in its HTML. */
export function anchorsOf(text: string): Set<string> {
  const found = new Set<string>()
  const blocks = text.replace(/^( *)```[\s\S]*?^\1```/gm, "")
  for (const [, heading = ""] of blocks.matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm)) {
    const shown = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").replace(/[`*]/g, "")
    const slug = slugOf(shown)
    let name = slug
    for (let count = 1; found.has(name); count++) name = `${slug}-${count}`
    found.add(name)
  }
  for (const [, id = ""] of blocks.matchAll(/\bid="([^"]+)"/g)) found.add(id)
  return found
}

/** What is the same in every language: how a document is divided, its code and commands, where its links lead. */
export function skeletonOf(text: string) {
  return {
    headings: [...withoutCode(text).matchAll(/^(#+) /gm)].map(([, level]) => level),
    blocks: text.match(/```[\s\S]*?```/g),
    rows: (text.match(/^\|.*\|$/gm) ?? []).length,
    // A guide leads to the same guide in its language, where there is one; and headings are called otherwise there.
    links: [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) =>
      target.replace(/\.ja\.md/, ".md").replace(/\.md#.*/, ".md"),
    ),
  }
}
