import { afterEach, describe, expect, it, vi } from "vitest"
import { createConversation, type PendingRoomMessage, type RoomMessage } from "./conversation.ts"
import { type TimelineInput, toTimeline } from "./timeline.ts"

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

interface Input extends Partial<Omit<TimelineInput, "items">> {
  messages?: RoomMessage[]
  pending?: PendingRoomMessage[]
}

/** Each row in a word or two; what one person said in one go stands in brackets. */
function shapeOf({ messages = [], pending = [], ...input }: Input): string {
  const { items } = createConversation(me)(messages, pending)
  return toTimeline({ items, gaps: [], timeZone: "UTC", myId: me.id, ...input })
    .map((row) => {
      if (row.kind === "said") return `${row.isFirst ? "[" : ""}${row.said.id}${row.isLast ? "]" : ""}`
      return row.kind === "gap" ? `gap of ${row.count}` : row.kind
    })
    .join(" ")
}

afterEach(() => void vi.restoreAllMocks())

describe("who joined one after the other", () => {
  const linesOf = (messages: RoomMessage[], input: Partial<TimelineInput> = {}) => {
    const { items } = createConversation(me)(messages, [])
    return toTimeline({ items, gaps: [], timeZone: "UTC", myId: me.id, ...input }).flatMap((row) =>
      row.kind === "system" ? [{ key: row.key, seqs: row.messages.map(({ seq }) => seq) }] : [],
    )
  }

  it("is one line, which is known by its newest, whatever is loaded above", () => {
    const all = [joined(1, noon), joined(2, noon), joined(3, noon + 1)]
    expect(linesOf(all)).toEqual([{ key: "m3", seqs: [1, 2, 3] }])
    expect(linesOf(all.slice(1))).toEqual([{ key: "m3", seqs: [2, 3] }])
  })

  it("is none with what was said, done, or fell into a hole between, nor over midnight", () => {
    const left = { ...joined(2, noon), event: "member-left" } as RoomMessage
    const one = (key: string, seq: number) => ({ key, seqs: [seq] })
    expect(linesOf([joined(1, noon), said(2, "a", noon), joined(3, noon)])).toEqual([
      one("m1", 1),
      one("m3", 3),
    ])
    expect(linesOf([joined(1, noon), left, joined(3, noon)])).toHaveLength(3)
    expect(linesOf([joined(1, noon), joined(4, noon)], { gaps: [{ from: 2, to: 3 }] })).toHaveLength(2)
    expect(linesOf([joined(1, noon), joined(2, noon + 86_400_000)])).toHaveLength(2)
  })
})

describe("the timeline", () => {
  it("groups one person's messages within a minute", () => {
    const messages = [
      said(1, "a", noon),
      said(2, "a", noon + 59_000),
      said(3, "b", noon + 60_000),
      said(4, "a", noon + 61_000),
    ]
    expect(shapeOf({ messages })).toBe("day [m1 m2] [m3] [m4]")
  })

  it("begins a new group under a new name", () => {
    const renamed = { ...said(2, "a", noon), from: { id: "a", name: "Ren" } }
    const messages = [said(1, "a", noon), renamed, { ...renamed, id: "m3", seq: 3 }]
    expect(shapeOf({ messages })).toBe("day [m1] [m2 m3]")
  })

  it("begins a new group after a minute's pause", () => {
    expect(shapeOf({ messages: [said(1, "a", noon), said(2, "a", noon + 60_000)] })).toBe("day [m1] [m2]")
  })

  it("separates days where the reader is", () => {
    const messages = [
      said(1, "a", Date.UTC(2026, 10, 23, 14, 59, 59)),
      said(2, "a", Date.UTC(2026, 10, 23, 15)),
    ]
    expect(shapeOf({ messages, timeZone: "Asia/Tokyo" })).toBe("day [m1] day [m2]")
    expect(shapeOf({ messages, timeZone: "UTC" })).toBe("day [m1 m2]")
    // A zone whose hours begin at other minutes: Kathmandu's midnight is 18:15 UTC.
    const late = [said(1, "a", Date.UTC(2026, 10, 23, 18, 14)), said(2, "a", Date.UTC(2026, 10, 23, 18, 15))]
    expect(shapeOf({ messages: late, timeZone: "Asia/Kathmandu" })).toBe("day [m1] day [m2]")
  })

  it("lets what the server says stand by itself", () => {
    const messages = [said(1, "a", noon), joined(2, noon), said(3, "a", noon)]
    expect(shapeOf({ messages })).toBe("day [m1] system [m3]")
  })

  it("shows holes where they are", () => {
    const gaps = [
      { from: 2, to: 4 },
      { from: 8, to: 8 },
    ]
    const messages = [said(1, "a", noon), said(5, "a", noon)]
    expect(shapeOf({ messages, gaps })).toBe("day [m1] gap of 3 [m5] gap of 1")
  })

  it("marks where one stopped reading, once", () => {
    const messages = [said(1, "a", noon), said(2, "a", noon), said(4, "a", noon)]
    expect(shapeOf({ messages, firstUnread: 2 })).toBe("day [m1] unread [m2 m4]")
    // The first unread one may have been an edit, which has no row of its own.
    expect(shapeOf({ messages, firstUnread: 3 })).toBe("day [m1 m2] unread [m4]")
    expect(shapeOf({ messages, firstUnread: 9 })).toBe("day [m1 m2 m4]")
  })

  it("marks it above what somebody else said, which is what counts as unread", () => {
    const messages = [said(1, "a", noon), joined(2, noon), said(3, "me", noon), said(4, "a", noon)]
    expect(shapeOf({ messages, firstUnread: 2 })).toBe("day [m1] system [m3] unread [m4]")
    const deletion: RoomMessage = {
      ...said(5, "a", noon),
      event: "message-deleted",
      payload: { target: "m4" },
    }
    expect(shapeOf({ messages: [...messages, deletion, said(6, "b", noon)], firstUnread: 4 })).toBe(
      "day [m1] system [m3] [m4] unread [m6]",
    )
    expect(shapeOf({ messages: [...messages, deletion], firstUnread: 2 })).not.toContain("unread")
  })

  it("has a key for each row, also where a device's clock is a day behind", () => {
    const dayMs = 86_400_000
    const pending: PendingRoomMessage[] = [
      { id: "p1", event: "text-sent", payload: { text: "x" }, state: "queued", at: noon - dayMs },
      { id: "p2", event: "text-sent", payload: { text: "y" }, state: "queued", at: noon },
      { id: "p3", event: "text-sent", payload: { text: "z" }, state: "queued", at: noon - dayMs },
    ]
    const { items } = createConversation(me)([said(1, "a", noon - dayMs), said(2, "a", noon)], pending)
    const keys = toTimeline({ items, gaps: [], timeZone: "UTC" }).map(({ key }) => key)
    expect(keys).toHaveLength(10)
    expect(new Set(keys).size).toBe(10)
  })

  it("makes one format for a reader's time zone, however often and however much it is asked", () => {
    const messages = Array.from({ length: 2_000 }, (_, index) =>
      said(index + 1, "a", noon + index * 3_600_000),
    )
    const { items } = createConversation(me)(messages, [])
    const made = vi.spyOn(Intl, "DateTimeFormat")
    for (let turn = 0; turn < 3; turn++) toTimeline({ items, gaps: [], timeZone: "Asia/Tokyo" })
    expect(made).toHaveBeenCalledTimes(1)
  })

  it("puts one's own pending messages at the end", () => {
    const pending: PendingRoomMessage[] = [
      { id: "p1", event: "text-sent", payload: { text: "x" }, state: "failed", at: noon + 1 },
    ]
    expect(shapeOf({ messages: [said(1, "me", noon)], pending })).toBe("day [m1 p1]")
  })
})
