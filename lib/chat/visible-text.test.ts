import { describe, expect, it } from "vitest"
import { cleanFileName } from "../files/rules.ts"
import { room } from "./channels.ts"
import { nameFaultOf } from "./names.ts"
import { visibleText } from "./visible-text.ts"

const target = "0190a5e0-0000-7000-8000-000000000001"
const taken = {
  "a name": (text: string) => ({ success: nameFaultOf(text, 40) === null, data: visibleText(text) }),
  "a message": (text: string) => room.messages["text-sent"].safeParse({ text }),
  "a change of a message": (text: string) => room.messages["message-edited"].safeParse({ target, text }),
}

const ignorable = /\p{Default_Ignorable_Code_Point}/u
const nothings = Array.from({ length: 0x110000 }, (_, code) => code)
  .filter((code) => code < 0xd800 || code > 0xdfff)
  .map((code) => String.fromCodePoint(code))
  .filter((character) => ignorable.test(character) || /\p{White_Space}|\p{Cc}/u.test(character))

describe.each(Object.entries(taken))("%s", (_, parse) => {
  it.each([
    [""],
    [" \n\t "],
    ["\u200b\u2060\ufeff"],
    ["\u3164"],
    ["\u115f\u1160\uffa0"],
    ["\u2800 \u2800"],
    ["\u00ad"],
    ["\u200d"],
    ["\ufe0f"],
    ["\u{e0041}"],
    ["\u0301\u0489"],
    ["\u200f\u202e"],
    ["\u{1d159}"],
    ["\u{13441}\u{13442}"],
    ["\u{16fe4}"],
    ["\u{13431}"],
    ["\ufff9\ufffb"],
    ["\uffff"],
    ["\u0000"],
  ])("of nothing that can be seen isn't taken: %j", (text) => {
    expect(parse(text).success).toBe(false)
  })

  it("isn't taken either of any character that Unicode calls ignorable, a space or a control", () => {
    expect(nothings.filter((text) => parse(`${text}${text}`).success)).toEqual([])
  })

  it.each([
    ["a woman, a man and a girl in one", "👩‍👩‍👧"],
    ["a heart in colour", "❤️"],
    ["a flag", "🏴󠁧󠁢󠁥󠁮󠁧󠁿"],
    ["a sign for a key", "1️⃣"],
    ["Persian", "نیلوفر می‌خواهد"],
    ["Hebrew with points", "שָׁלוֹם"],
    ["Sinhala", "ශ්‍රී"],
    ["Hangul in parts", "\u1112\u1161\u11ab"],
    ["a letter under a mark", "e\u0301"],
    ["Braille", "⠓⠊"],
    ["punctuation", "…"],
    ["an emoji of the years to come", "\u{1faff}"],
  ])("is taken as it is of %s", (_, text) => {
    expect(parse(` ${text} `)).toMatchObject({ success: true })
    expect(JSON.stringify(parse(` ${text} `).data)).toContain(JSON.stringify(text))
  })
})

it.each(["a\u202Eb", "a\u200fb", "a\u061cb", "a\u2066b", "a\nb", "a\u2028b", "a\u0000b", "a\ud800b"])(
  "a name may not disturb the line it stands in: %j",
  (name) => {
    expect(nameFaultOf(name, 40)).toBe("disturbing")
  },
)

it("a file beside a text that can't be seen is a file beside none", () => {
  const file = { id: target, name: "a.txt", type: "text/plain", size: 1 }
  expect(room.messages["text-sent"].parse({ text: "\u200b", files: [file] })).toMatchObject({ text: "" })
})

it.each([
  ["\u3164\u200b", "file"],
  ["\u202egpj.exe", "gpj.exe"],
  ["a\u2028b\u0007.txt", "ab.txt"],
  ["می‌خواهد.pdf", "می‌خواهد.pdf"],
])("the name of a file, %j, stands on a page as %j", (given, name) => {
  expect(cleanFileName(given)).toBe(name)
})
