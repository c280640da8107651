import { describe, expect, it } from "vitest"
import { Doc, encodeStateAsUpdate } from "yjs"
import { field, seed } from "../examples/document/app/seed.ts"

function begun(id: string) {
  const doc = new Doc()
  doc.clientID = 0
  seed(doc, id)
  return { bytes: encodeStateAsUpdate(doc), text: doc.getXmlFragment(field).toString() }
}

describe("what the example's document begins with", () => {
  it("is the same to the byte, whoever opens it", () => {
    expect(begun("en-1").bytes).toEqual(begun("en-1").bytes)
    expect(begun("en-1").text).toMatch(/^<heading level="2">Notes<\/heading><paragraph>Whoever /)
  })

  it("is in the language of the document's address", () => {
    expect(begun("ja-1").text).toMatch(/^<heading level="2">メモ<\/heading>/)
  })
})
