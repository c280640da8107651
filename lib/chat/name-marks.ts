import unhomoglyph from "unhomoglyph"

/** Letters under marks, but not the kana that a mark makes another: が isn't か. */
const strokes = /(?![\u3099\u309a])[\p{M}\p{Cf}\p{Default_Ignorable_Code_Point}]/gu

/**
 * What is left of a name when everything is taken from it that one could miss: width and case, marks on letters, signs that
 * can't be seen, letters of other scripts that look alike. For comparing only; it may look like nothing.
 */
export function skeletonOf(name: string): string {
  const letters = name.normalize("NFKD").replaceAll(strokes, "")
  return unhomoglyph(unhomoglyph(letters).toLowerCase())
    .toLowerCase()
    .replaceAll(/[i1|!]/g, "l")
    .replaceAll("0", "o")
    .replaceAll(/[\s\p{P}]+/gu, " ")
    .trim()
    .normalize("NFC")
}

/** FNV-1a: the same few characters for an id on every page. */
function digestOf(id: string): string {
  let hash = 0x811c9dc5
  for (const character of id) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0
  return hash.toString(36).padStart(7, "0")
}

const shortest = 4

/**
 * A short mark, made from the id, for everybody whose name could be taken for somebody else's among these people, each of whom may be there
 * under several. Those who can't be mistaken have none. Marks of people who could be are different.
 */
export function nameMarks(people: Iterable<{ id: string; name: string }>): ReadonlyMap<string, string> {
  const alike = new Map<string, string[]>()
  for (const { id, name } of people) {
    const skeleton = skeletonOf(name)
    const ids = alike.get(skeleton) ?? []
    if (!ids.includes(id)) alike.set(skeleton, [...ids, id])
  }
  const marks = new Map<string, string>()
  for (const ids of alike.values()) {
    if (ids.length < 2) continue
    const digests = new Map(ids.map((id) => [id, digestOf(id)]))
    const areDifferent = (length: number) =>
      new Set([...digests.values()].map((digest) => digest.slice(-length))).size === ids.length
    let length = shortest
    while (length < 7 && !areDifferent(length)) length++
    // Two ids of one digest, once in billions: the ids themselves are different.
    for (const [id, digest] of digests) {
      const mark = areDifferent(length) ? digest.slice(-length) : id
      if (mark.length > (marks.get(id)?.length ?? 0)) marks.set(id, mark)
    }
  }
  return marks
}
