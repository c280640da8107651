import * as Y from "yjs"
import type { Chance } from "../chance.ts"

const words = ["a", "ゆ", "👩‍🚀", "lorem ipsum ", "\n", "0123456789"]

/** One random edit, of a text, a list, a map or a tree, each as likely. */
export function edit(doc: Y.Doc, chance: Chance): void {
  chance.pick([editText, editList, editMap, editTree])(doc, chance)
}

/** Where the length allows it, three of ten take something away. */
const takesAway = (length: number, chance: Chance) => length > 0 && chance.happens(0.3)

/** A place that no editor would miss: between two characters, not within one. */
function placeIn(text: Y.Text, at: number): number {
  return /[\udc00-\udfff]/.test(text.toString()[at] ?? "") ? at - 1 : at
}

function editText(doc: Y.Doc, chance: Chance): void {
  const text = doc.getText("text")
  const at = placeIn(text, chance.between(0, text.length))
  if (takesAway(text.length, chance)) {
    const from = placeIn(text, chance.between(0, text.length - 1))
    text.delete(from, placeIn(text, Math.min(text.length, from + chance.between(2, 8))) - from)
  } else if (chance.happens(0.1) && text.length > 2) {
    text.format(0, placeIn(text, chance.between(2, text.length)), { bold: chance.happens(0.5) ? true : null })
  } else text.insert(at, chance.pick(words))
}

function editList(doc: Y.Doc, chance: Chance): void {
  const list = doc.getArray<unknown>("list")
  if (takesAway(list.length, chance)) list.delete(chance.between(0, list.length - 1), 1)
  else {
    const value = chance.happens(0.2) ? new Y.Map([["n", chance.between(0, 99)]]) : chance.between(0, 1_000)
    list.insert(chance.between(0, list.length), [value])
  }
}

function editMap(doc: Y.Doc, chance: Chance): void {
  const map = doc.getMap<unknown>("map")
  const key = `key ${chance.between(0, 9)}`
  if (map.has(key) && chance.happens(0.3)) map.delete(key)
  else map.set(key, chance.happens(0.1) ? new Y.Text(chance.pick(words)) : chance.between(0, 1_000))
}

function editTree(doc: Y.Doc, chance: Chance): void {
  const tree = doc.getXmlFragment("tree")
  if (takesAway(tree.length, chance)) {
    tree.delete(chance.between(0, tree.length - 1), 1)
    return
  }
  const parent = tree.length > 0 && chance.happens(0.5) ? tree.get(chance.between(0, tree.length - 1)) : tree
  const target = parent instanceof Y.XmlElement ? parent : tree
  const element = new Y.XmlElement(chance.pick(["p", "h1", "li"]))
  element.setAttribute("n", String(chance.between(0, 9)))
  target.insert(chance.between(0, target.length), [
    chance.happens(0.3) ? new Y.XmlText(chance.pick(words)) : element,
  ])
}

/** What a document says, to compare. */
export const contentOf = (doc: Y.Doc): unknown => ({
  text: doc.getText("text").toDelta(),
  list: doc.getArray("list").toJSON(),
  // In the order of its keys, which the order of what arrived isn't.
  map: Object.entries(doc.getMap("map").toJSON()).toSorted(([a], [b]) => (a < b ? -1 : 1)),
  tree: doc.getXmlFragment("tree").toString(),
})

/** Whether all of one snapshot, what was deleted included, is part of another. */
export function isPartOf(part: Y.Snapshot, whole: Y.Snapshot): boolean {
  for (const [client, clock] of part.sv) if ((whole.sv.get(client) ?? 0) < clock) return false
  for (const [client, deletes] of part.ds.clients) {
    const ranges = whole.ds.clients.get(client) ?? []
    for (const { clock, len } of deletes) {
      const covers = ranges.some((range) => range.clock <= clock && range.clock + range.len >= clock + len)
      if (!covers) return false
    }
  }
  return true
}
