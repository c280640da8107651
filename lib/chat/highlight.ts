import { graphemesOf } from "../i18n/graphemes.ts"

/** A stretch of a text, and whether it is what was searched for. */
export interface TextPart {
  text: string
  isHit: boolean
}

/** Half-width and full-width, composed and decomposed, large and small are the same letter to whoever searches. */
const fold = (text: string) => text.normalize("NFKC").toLowerCase()

/**
 * A text in parts: what matches a word of the query, and the rest. Of a long text only what stands around the first hit, with an
 * ellipsis where something was left out, at most `maxLength` characters or so.
 */
export function highlight(text: string, query: string, maxLength = 160): TextPart[] {
  const words = fold(query)
    .split(/\s+/u)
    .filter((word) => word !== "")
  // Folding may change a text's length: each folded character remembers the one that it came from.
  const letters = graphemesOf(text.replace(/\s+/gu, " ").trim())
  let folded = ""
  const letterAt: number[] = []
  for (const [index, letter] of letters.entries()) {
    const part = fold(letter)
    folded += part
    for (let unit = 0; unit < part.length; unit += 1) letterAt.push(index)
  }

  const isHit = letters.map(() => false)
  for (const word of words) {
    for (let at = folded.indexOf(word); at !== -1; at = folded.indexOf(word, at + word.length)) {
      isHit.fill(true, letterAt[at], (letterAt[at + word.length - 1] ?? 0) + 1)
    }
  }

  const first = Math.max(0, isHit.indexOf(true))
  const from = letters.length <= maxLength ? 0 : Math.max(0, Math.min(first - 40, letters.length - maxLength))
  const parts: TextPart[] = from > 0 ? [{ text: "…", isHit: false }] : []
  for (const [index, letter] of letters.slice(from, from + maxLength).entries()) {
    const hit = isHit[from + index] ?? false
    const last = parts.at(-1)
    if (last?.isHit === hit) last.text += letter
    else parts.push({ text: letter, isHit: hit })
  }
  if (from + maxLength < letters.length) parts.push({ text: "…", isHit: false })
  return parts
}
