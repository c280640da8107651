import { expect, it } from "vitest"
import fc from "./testing/fast-check.ts"
import { isWellFormed, toWellFormed } from "./text.ts"

it("a text is well-formed, and made so, as newer engines say", () => {
  const halves = fc.constantFrom("\ud800", "\udbff", "\udc00", "\udfff", "😀", "a", "\0")
  fc.assert(
    fc.property(fc.string({ unit: halves }), (text) => {
      expect(isWellFormed(text)).toBe(text.isWellFormed())
      expect(toWellFormed(text)).toBe(text.toWellFormed())
    }),
  )
})
