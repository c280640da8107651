import { maxMentions } from "./channels.ts"
import { type Mentioned, parseRichText, type RichBlock, type RichInline } from "./rich-text.ts"

/** An `@` before the cursor and what was typed after it, while it may still become somebody's name. */
export interface MentionQuery {
  at: number
  query: string
}

const longestName = 40

export function mentionQueryAt(text: string, cursor: number): MentionQuery | null {
  const from = Math.max(0, cursor - longestName - 1)
  const before = text.slice(from, cursor)
  const sign = Math.max(before.lastIndexOf("@"), before.lastIndexOf("＠"))
  if (sign === -1) return null
  const at = from + sign
  const query = text.slice(at + 1, cursor)
  // An address of mail isn't a mention, nor is an `@` that stands alone.
  if (/[a-z0-9]/i.test(text.charAt(at - 1)) || /^\s|\n/.test(query)) return null
  return { at, query }
}

/** Width, case and the two kana are one when one looks for a name. */
const folded = (name: string) =>
  name
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[\u30a1-\u30f6]/g, (kana) => String.fromCharCode(kana.charCodeAt(0) - 0x60))

/** Whom a query may mean, the likeliest first: names that begin so, then names with a word that does; otherwise in the order given. */
export function matchPeople<P extends Mentioned>(people: readonly P[], query: string, limit: number): P[] {
  const wanted = folded(query)
  const ranked = people.flatMap((person) => {
    const name = folded(person.name)
    const rank = name.startsWith(wanted) ? 0 : name.includes(wanted) ? 1 : null
    return rank === null ? [] : [{ person, rank }]
  })
  return ranked
    .sort((a, b) => a.rank - b.rank)
    .slice(0, limit)
    .map(({ person }) => person)
}

/**
 * Ids of everybody whom a text mentions. Whoever was chosen from the list is meant by their name; a name that was typed counts
 * where only one person has it.
 */
export function mentionsIn(
  text: string,
  chosen: readonly Mentioned[],
  people: readonly Mentioned[],
): string[] {
  const counts = new Map<string, number>()
  for (const { name } of people) counts.set(name, (counts.get(name) ?? 0) + 1)
  const found = new Set<string>()
  const visit = (node: RichBlock | RichInline): void => {
    if (node.kind === "mention") found.add(node.id)
    if ("children" in node) node.children.forEach(visit)
  }
  const candidates = [...chosen, ...people.filter(({ name }) => counts.get(name) === 1)]
  parseRichText(text, candidates).forEach(visit)
  return [...found].slice(0, maxMentions)
}
