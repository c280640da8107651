import { describe, expect, it } from "vitest"
import { nameFaultOf } from "./names.ts"

describe("a name of at most 40 characters", () => {
  it.each([
    ["Aki"],
    ["日本 太郎"],
    ["👩‍👩‍👧"],
    ["  trimmed  "],
    ["x".repeat(40)],
    ["🚢".repeat(40)],
    [` ${"x".repeat(40)} `],
  ])("may be %j", (name) => {
    expect(nameFaultOf(name, 40)).toBeNull()
  })

  it.each([
    ["", "empty"],
    ["   ", "empty"],
    ["\u200b\u2060", "invisible"],
    ["\u3164", "invisible"],
    ["\u2800", "invisible"],
    ["x".repeat(41), "tooLong"],
    ["🚢".repeat(41), "tooLong"],
    ["a\u202Eb", "disturbing"],
    ["a\u061cb", "disturbing"],
    ["a\nb", "disturbing"],
    ["a\u0000b", "disturbing"],
  ])("may not be %j: %s", (name, fault) => {
    expect(nameFaultOf(name, 40)).toBe(fault)
  })
})
