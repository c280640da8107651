import { describe, expect, it } from "vitest"
import { type PendingRoomMessage, type RoomMessage, toTimeline } from "./timeline.ts"

const me = { id: "me", name: "Me" }
const noon = Date.UTC(2026, 10, 23, 12)

const said = (seq: number, from: string, at: number): RoomMessage => ({
  id: `m${seq}`,
  channel: "room:1",
  seq,
  epoch: "e",
  event: "text-sent",
  payload: { text: `text ${seq}` },
  from: { id: from, name: from },
  at,
})
const joined = (seq: number, at: number): RoomMessage => ({
  ...said(seq, "a", at),
  event: "member-joined",
  payload: {},
})

const shapeOf = (input: Partial<Parameters<typeof toTimeline>[0]>) =>
  toTimeline({ messages: [], pending: [], gaps: [], me, timeZone: "UTC", ...input }).map((row) => {
    if (row.kind === "group") return `${row.sender.id}: ${row.entries.map(({ id }) => id).join(" ")}`
    return row.kind === "gap" ? `gap of ${row.count}` : row.kind
  })

describe("the timeline", () => {
  it("groups one person's messages within a minute", () => {
    const messages = [
      said(1, "a", noon),
      said(2, "a", noon + 59_000),
      said(3, "b", noon + 60_000),
      said(4, "a", noon + 61_000),
    ]
    expect(shapeOf({ messages })).toEqual(["day", "a: m1 m2", "b: m3", "a: m4"])
  })

  it("begins a new group after a minute's pause", () => {
    expect(shapeOf({ messages: [said(1, "a", noon), said(2, "a", noon + 60_000)] })).toEqual([
      "day",
      "a: m1",
      "a: m2",
    ])
  })

  it("separates days where the reader is", () => {
    const messages = [
      said(1, "a", Date.UTC(2026, 10, 23, 14, 59, 59)),
      said(2, "a", Date.UTC(2026, 10, 23, 15)),
    ]
    expect(shapeOf({ messages, timeZone: "Asia/Tokyo" })).toEqual(["day", "a: m1", "day", "a: m2"])
    expect(shapeOf({ messages, timeZone: "UTC" })).toEqual(["day", "a: m1 m2"])
  })

  it("lets what the server says stand by itself", () => {
    const messages = [said(1, "a", noon), joined(2, noon), said(3, "a", noon)]
    expect(shapeOf({ messages })).toEqual(["day", "a: m1", "system", "a: m3"])
  })

  it("shows holes where they are", () => {
    const gaps = [
      { from: 2, to: 4 },
      { from: 8, to: 8 },
    ]
    const messages = [said(1, "a", noon), said(5, "a", noon)]
    expect(shapeOf({ messages, gaps })).toEqual(["day", "a: m1", "gap of 3", "a: m5", "gap of 1"])
  })

  it("puts one's own pending messages at the end", () => {
    const pending: PendingRoomMessage[] = [
      { id: "p1", event: "text-sent", payload: { text: "x" }, state: "failed", at: noon + 1 },
    ]
    expect(shapeOf({ messages: [said(1, "me", noon)], pending })).toEqual(["day", "me: m1 p1"])
  })
})
