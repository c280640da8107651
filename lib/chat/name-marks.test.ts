import { describe, expect, it } from "vitest"
import fc from "../../realtime/testing/fast-check.ts"
import { nameMarks, skeletonOf } from "./name-marks.ts"

describe("the skeleton of a name", () => {
  it.each([
    ["Alice", "alice"],
    ["Alice", "ALICE"],
    ["Alice", "Ａｌｉｃｅ"],
    ["Alice", "AIice"],
    ["Alice", "A1ice"],
    ["Alice", "Аliсе"],
    ["Alice", "A\u0336l\u0489i\u0301c\u034fe"],
    ["Alice", "Al\u200bi\u2060ce\ufe0f"],
    ["Alice", " Alice "],
    ["Alice", "𝒜𝓁𝒾𝒸ℯ"],
    ["Bob", "B0b"],
    ["Tom", "Torn"],
    ["が", "か\u3099"],
    ["ロボ", "口ボ"],
    ["アキ", "ｱｷ"],
    ["José", "Jose"],
  ])("is one for %s and %s", (one, other) => {
    expect(skeletonOf(other)).toBe(skeletonOf(one))
  })

  it.each([
    ["Alice", "Alina"],
    ["かき", "がき"],
    ["はは", "ぱぱ"],
    ["秋", "春"],
    ["Aki", "Aki 2"],
    ["👩", "👨"],
  ])("is different for %s and %s", (one, other) => {
    expect(skeletonOf(other)).not.toBe(skeletonOf(one))
  })
})

describe("marks beside names", () => {
  it("are there only for those who could be mistaken", () => {
    const marks = nameMarks([
      { id: "1", name: "Alice" },
      { id: "2", name: "Аlice" },
      { id: "3", name: "Bob" },
    ])
    expect([...marks.keys()]).toEqual(["1", "2"])
    for (const mark of marks.values()) expect(mark).toMatch(/^[0-9a-z]{4}$/)
  })

  it("don't count one person twice", () => {
    const alice = { id: "1", name: "Alice" }
    expect(nameMarks([alice, alice, { ...alice, name: "Alicia" }]).size).toBe(0)
  })

  it("tell people apart by what they were called before, too", () => {
    // Of these two ids the last four characters of a mark are the same.
    const [ren, other] = ["4558", "8002"] as const
    const [asAki, asRen] = [
      { id: ren, name: "Aki" },
      { id: ren, name: "Ren" },
    ]
    const alone = nameMarks([asAki, { id: other, name: "aki" }])
    expect([...alone.keys()]).toEqual([ren, other])
    expect(alone.get(ren)).toHaveLength(5)
    // Under either name the same mark, which is long enough for both.
    for (const names of [
      [asAki, asRen],
      [asRen, asAki],
    ]) {
      const marks = nameMarks([...names, { id: other, name: "aki" }, { id: "3", name: "Ｒｅｎ" }])
      expect([...marks.keys()].toSorted()).toEqual(["3", ren, other])
      expect(marks.get(ren)).toBe(alone.get(ren))
    }
  })

  it("stay what they are when somebody else comes or goes", () => {
    const two = [
      { id: "a", name: "Aki" },
      { id: "b", name: "aki" },
    ]
    const three = nameMarks([...two, { id: "c", name: "Ben" }, { id: "d", name: "Ａｋｉ" }])
    expect(three.get("a")).toBe(nameMarks(two).get("a"))
  })

  it("tell everybody apart who has the same skeleton, whatever their ids", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 2, maxLength: 50 }),
        fc.string({ minLength: 1, maxLength: 40 }),
        (ids, name) => {
          const marks = nameMarks(ids.map((id) => ({ id, name })))
          expect(new Set(marks.values()).size).toBe(ids.length)
        },
      ),
    )
  })
})
