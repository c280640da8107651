import type * as Y from "yjs"

/** How many people write. */
export const people = 5

const paragraph = (doc: Y.Doc, person: number) => doc.getText(`paragraph ${person}`)

/** How much there is to read. */
export const lengthOf = (doc: Y.Doc): number =>
  Array.from({ length: people }, (_, person) => paragraph(doc, person).length).reduce((sum, n) => sum + n, 0)

/**
 * A person's nth edit: they type on in a paragraph of their own, take back each tenth character, and each
 * fiftieth is written somewhere in somebody's.
 */
export function type(doc: Y.Doc, person: number, n: number): void {
  if (n % 50 === 49) {
    const text = paragraph(doc, (n * 31 + person) % people)
    text.insert((n * 7_919) % (text.length + 1), "…")
    return
  }
  const text = paragraph(doc, person)
  if (n % 10 === 9 && text.length > 0) text.delete(text.length - 1, 1)
  else text.insert(text.length, "abcde fgh"[n % 9] as string)
}
