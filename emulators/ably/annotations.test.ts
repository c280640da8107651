import { describe, expect, test } from "vitest"
import { summarize } from "./annotations.ts"
import type { Annotation } from "./protocol.ts"

type Given = Pick<Annotation, "clientId" | "name" | "count"> & { isDelete?: true }

function summaryOf(type: string, given: Given[]): unknown {
  const annotations = given.map(({ isDelete, ...rest }) => ({
    ...rest,
    type,
    messageSerial: "serial",
    action: isDelete ? 1 : 0,
  }))
  return summarize(annotations)[type]
}

const clients = (...clientIds: string[]) => ({ total: clientIds.length, clientIds, clipped: false })
const counts = (clientIds: Record<string, number>, totalUnidentified = 0) => ({
  total: Object.values(clientIds).reduce((sum, count) => sum + count, totalUnidentified),
  clientIds,
  totalUnidentified,
  totalClientIds: Object.keys(clientIds).length,
  clipped: false,
})

describe("§6.5d summaries", () => {
  test.each<[string, Given[], unknown]>([
    ["a:total.v1", [{}, {}, { clientId: "ann" }], { total: 3 }],
    ["a:total.v1", [{}, { isDelete: true }, { isDelete: true }], { total: 0 }],
    ["a:flag.v1", [{ clientId: "ann" }, { clientId: "ann" }, { clientId: "bob" }], clients("ann", "bob")],
    ["a:flag.v1", [{ clientId: "ann" }, { clientId: "ann", isDelete: true }], clients()],
    [
      "a:distinct.v1",
      [
        { clientId: "ann", name: "x" },
        { clientId: "ann", name: "y" },
        { clientId: "bob", name: "x" },
      ],
      { x: clients("ann", "bob"), y: clients("ann") },
    ],
    [
      "a:distinct.v1",
      [
        { clientId: "ann", name: "x" },
        { clientId: "ann", name: "x", isDelete: true },
      ],
      {},
    ],
    [
      "a:unique.v1",
      [
        { clientId: "ann", name: "x" },
        { clientId: "ann", name: "y" },
      ],
      { y: clients("ann") },
    ],
    [
      "a:unique.v1",
      [
        { clientId: "ann", name: "x" },
        { clientId: "ann", name: "other", isDelete: true },
      ],
      { x: clients("ann") },
    ],
    [
      "a:multiple.v1",
      [
        { clientId: "ann", name: "x" },
        { clientId: "ann", name: "x", count: 4 },
        { name: "x", count: 2 },
      ],
      { x: counts({ ann: 5 }, 2) },
    ],
    [
      "a:multiple.v1",
      [
        { clientId: "ann", name: "x", count: 4 },
        { clientId: "ann", name: "x", isDelete: true },
      ],
      {},
    ],
  ])("%s of %j", (type, given, expected) => {
    expect(summaryOf(type, given)).toEqual(expected)
  })
})
