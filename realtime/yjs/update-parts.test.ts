import { describe, expect, it } from "vitest"
import { createUpdateAssembler, fromPayloads, issueOf, partSpan, toPayloads } from "./update-parts.ts"

const bytes = (length: number) => Uint8Array.from({ length }, (_, n) => n % 251)
const from = { id: "a" }

describe("an update as messages", () => {
  it("is one where it fits, and as many as needed where it doesn't", () => {
    expect(toPayloads(bytes(10), 10, () => "k")).toEqual([
      { update: btoa(String.fromCharCode(...bytes(10))) },
    ])
    const parts = toPayloads(bytes(25), 10, () => "k")
    expect(parts.map(({ part }) => part)).toEqual([0, 1, 2].map((index) => ({ key: "k", index, count: 3 })))
    expect(fromPayloads(parts)).toEqual(bytes(25))
  })

  it("is put together again from parts, whatever stands between them", () => {
    const assembler = createUpdateAssembler()
    const [one, two] = toPayloads(bytes(20), 10, () => "k")
    expect(assembler.take({ seq: 1, from, payload: one })).toBeNull()
    expect(assembler.wholeUpTo).toBe(0)
    expect(assembler.take({ seq: 2, from: { id: "b" }, payload: { update: "AAAA" } })).toEqual(
      new Uint8Array(3),
    )
    assembler.skip(3)
    expect(assembler.wholeUpTo).toBe(0)
    expect(assembler.take({ seq: 4, from, payload: one })).toBeNull()
    expect(assembler.take({ seq: 5, from, payload: two })).toEqual(bytes(20))
    expect(assembler.wholeUpTo).toBe(5)
  })

  it("takes no part of somebody else's", () => {
    const assembler = createUpdateAssembler()
    const [one, two] = toPayloads(bytes(20), 10, () => "k")
    assembler.take({ seq: 1, from, payload: one })
    expect(assembler.take({ seq: 2, from: { id: "b" }, payload: two })).toBeNull()
    expect(assembler.take({ seq: 3, from: null, payload: two })).toBeNull()
    expect(assembler.take({ seq: 4, from, payload: two })).toEqual(bytes(20))
  })

  it("counts no more once its parts are too far from each other, for nobody", () => {
    const assembler = createUpdateAssembler()
    const [one, two] = toPayloads(bytes(20), 10, () => "k")
    assembler.take({ seq: 1, from, payload: one })
    assembler.skip(partSpan)
    expect(assembler.wholeUpTo).toBe(0)
    expect(assembler.take({ seq: partSpan + 1, from, payload: two })).toBeNull()
    expect(assembler.wholeUpTo).toBe(partSpan)
  })

  it("begins anew where it is told to", () => {
    const assembler = createUpdateAssembler()
    const [one, two] = toPayloads(bytes(20), 10, () => "k")
    assembler.take({ seq: 1, from, payload: one })
    assembler.begin(7)
    expect(assembler.wholeUpTo).toBe(7)
    expect(assembler.take({ seq: 8, from, payload: two })).toBeNull()
  })

  it("throws where the parts disagree, and where there is none", () => {
    const assembler = createUpdateAssembler()
    const part = { key: "k", index: 0, count: 2 }
    assembler.take({ seq: 1, from, payload: { update: "AAAA", part } })
    const other = { update: "AAAA", part: { ...part, count: 3 } }
    expect(() => assembler.take({ seq: 2, from, payload: other })).toThrow("disagree")
    expect(() => assembler.take({ seq: 3, from, payload: null })).toThrow("update")
  })
})

it.each([
  [null, "update"],
  ["text", "update"],
  [{ update: "" }, "update"],
  [{ update: 7 }, "update"],
  [{ update: "AAAA", part: null }, "part.key"],
  [{ update: "AAAA", part: { key: "", index: 0, count: 1 } }, "part.key"],
  [{ update: "AAAA", part: { key: "k".repeat(65), index: 0, count: 1 } }, "part.key"],
  [{ update: "AAAA", part: { key: "k", index: 1, count: 1 } }, "part"],
  [{ update: "AAAA", part: { key: "k", index: -1, count: 1 } }, "part"],
  [{ update: "AAAA", part: { key: "k", index: 0.5, count: 1 } }, "part"],
  [{ update: "AAAA", part: { key: "k", index: 0, count: partSpan + 1 } }, "part"],
  [{ update: "AAAA", part: { key: "k", index: 0, count: Number.NaN } }, "part"],
])("says of %j what is wrong with it", (value, named) => {
  expect(issueOf(value)).toContain(`"${named}"`)
})

it("finds nothing wrong with an update, and with a part of one", () => {
  expect(issueOf({ update: "AAAA" })).toBeNull()
  expect(issueOf({ update: "AAAA", part: { key: "k", index: partSpan - 1, count: partSpan } })).toBeNull()
})
