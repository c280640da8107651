import { type Doc, XmlElement, XmlText } from "yjs"
import { texts } from "./texts.ts"

/** The editor's part of the document. */
export const field = "body"

/** What a new document begins with. It has to be the same for everybody who opens it, so its address says the language. */
export function seed(doc: Doc, id: string): void {
  const { notes, first } = texts[id.startsWith("ja") ? "ja" : "en"]
  const heading = new XmlElement("heading")
  // Whatever its type says, Yjs keeps numbers.
  heading.setAttribute("level", 2 as unknown as string)
  heading.insert(0, [new XmlText(notes)])
  const paragraph = new XmlElement("paragraph")
  paragraph.insert(0, [new XmlText(first)])
  doc.getXmlFragment(field).insert(0, [heading, paragraph])
}
