import { describe, expect, it } from "vitest"
import { realtimeErrorCodes } from "../../realtime/errors.ts"
import { chooseLocale } from "./locales.ts"
import en from "./messages/en.json" with { type: "json" }
import ja from "./messages/ja.json" with { type: "json" }

function textsOf(value: unknown, path = ""): [string, string][] {
  if (typeof value === "string") return [[path, value]]
  return Object.entries(value as object).flatMap(([key, inner]) =>
    textsOf(inner, path === "" ? key : `${path}.${key}`),
  )
}

/** The names that a text asks for: `{name}`, `{count, plural, …}`. */
const placeholdersOf = (text: string) => [...text.matchAll(/\{(\w+)(?=[},])/g)].map(([, name]) => name).sort()

describe("the texts", () => {
  it("are the same ones in both languages", () => {
    expect(textsOf(ja).map(([key]) => key)).toEqual(textsOf(en).map(([key]) => key))
  })

  it("ask for the same values", () => {
    const asked = (texts: unknown) =>
      Object.fromEntries(textsOf(texts).map(([key, text]) => [key, [...new Set(placeholdersOf(text))]]))
    expect(asked(ja)).toEqual(asked(en))
  })

  it("write numbers as the reader's language does", () => {
    const numbers = /\{(count|days|index|max|minutes|underWay)\}/
    expect([...textsOf(en), ...textsOf(ja)].filter(([, text]) => numbers.test(text))).toEqual([])
  })

  it("are written, all of them", () => {
    for (const [key, text] of [...textsOf(en), ...textsOf(ja)])
      expect([key, text.trim()]).not.toEqual([key, ""])
  })

  it("have one for each error", () => {
    expect(Object.keys(en.errors).sort()).toEqual([...realtimeErrorCodes].sort())
  })
})

describe("the reader's language", () => {
  it.each([
    [undefined, null, "en"],
    [undefined, "ja", "ja"],
    [undefined, "ja-JP,ja;q=0.9,en;q=0.8", "ja"],
    [undefined, "fr-FR,fr;q=0.9,ja;q=0.5,en;q=0.7", "en"],
    [undefined, "de", "en"],
    [undefined, "ja;q=0, en;q=0.1", "en"],
    [undefined, ";;;,", "en"],
    ["ja", "en", "ja"],
    ["xx", "ja", "ja"],
  ])("chosen %s, wished %s: %s", (chosen, wished, locale) => {
    expect(chooseLocale(chosen, wished)).toBe(locale)
  })
})
