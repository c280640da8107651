import { expect, it } from "vitest"
import { isolated } from "./isolated.ts"

it.each(["Alice", "日本 太郎", "Ömer", "Ольга", "नमस्ते", "👩‍👩‍👧", ""])(
  "%j reads in a sentence as it does alone",
  (name) => {
    expect(isolated(name)).toBe(name)
  },
)

it.each(["أحمد", "نیلوفر می‌خواهد", "שָׁלוֹם 2", "Ali علي", "ދިވެހި", "𞤀𞤣𞤤𞤢𞤥", "ﷺ"])(
  "%j is set apart, so that it turns nothing around it",
  (name) => {
    expect(isolated(name)).toBe(`\u2068${name}\u2069`)
  },
)

it.each(["a\u202eb", "a\u2069b", "a\u2067b", "a\nb"])("%j loses what would reach out of it", (name) => {
  expect(isolated(name)).toBe("ab")
})
