import { dayOf } from "../i18n/calendar.ts"
import type { ConversationItem, Said, SystemMessage, Told } from "./conversation.ts"

/** What a list of messages shows, from top to bottom. */
export type TimelineRow =
  | { kind: "day"; key: string; at: number }
  /** Several only of who joined one after the other. */
  | { kind: "system"; key: string; messages: [SystemMessage, ...SystemMessage[]] }
  | { kind: "gap"; key: string; count: number }
  | { kind: "unread"; key: string }
  /** `isFirst` and `isLast` of what one person said in one go. */
  | { kind: "said"; key: string; said: Said; isFirst: boolean; isLast: boolean }

/** The key of the one row that parts what was read from what wasn't. */
export const unreadKey = "unread"

/** One person's messages, under one name, stand together while they follow one another within this time. */
const groupWithinMs = 60_000

/** Formatting is what costs: what is said within the same quarter of an hour is of one day in every time zone. */
function createDays(timeZone: string) {
  let known = { from: 0, to: -1, day: "" }
  return (at: number): string => {
    if (at >= known.from && at <= known.to) return known.day
    const from = at - (at % 900_000)
    known = { from, to: from + 899_999, day: dayOf(at, timeZone) }
    return known.day
  }
}

export interface TimelineInput {
  items: readonly ConversationItem[]
  gaps: readonly { from: number; to: number }[]
  /** Where what the reader hadn't seen began when they came; null: nowhere. */
  firstUnread?: number | null
  /** The reader: what they say themselves is never unread. */
  myId?: string
  timeZone: string
}

/** Puts days, holes and where one stopped reading between what was said. */
export function toTimeline({
  items,
  gaps,
  firstUnread = null,
  myId,
  timeZone,
}: TimelineInput): TimelineRow[] {
  const rows: TimelineRow[] = []
  const dayAt = createDays(timeZone)
  let day = ""
  const days = new Set<string>()
  let isUnreadMarked = firstUnread === null

  /** As the counts have it: what the server says by itself, and what is deleted, is nothing that one could have missed. */
  const isUnread = (item: ConversationItem) =>
    firstUnread !== null &&
    item.kind === "said" &&
    item.seq !== null &&
    item.seq >= firstUnread &&
    !item.isDeleted &&
    item.sender.id !== myId

  function addSaid(said: Said): void {
    const last = rows.at(-1)
    const continues =
      last?.kind === "said" &&
      last.said.sender.id === said.sender.id &&
      // The reader's own stand without one.
      (said.sender.id === myId || last.said.sender.name === said.sender.name) &&
      said.at - last.said.at < groupWithinMs
    if (continues) last.isLast = false
    rows.push({ kind: "said", key: said.id, said, isFirst: !continues, isLast: true })
  }

  function addSystem({ id, message }: Told): void {
    const last = rows.at(-1)
    const isJoined = ({ event }: SystemMessage) => event === "member-joined"
    if (last?.kind === "system" && isJoined(last.messages[0]) && isJoined(message)) {
      last.messages.push(message)
      // The newest one's: what is loaded above may have a part of them.
      last.key = id
    } else rows.push({ kind: "system", key: id, messages: [message] })
  }

  let remaining = [...gaps].sort((a, b) => a.from - b.from)
  for (const item of items) {
    const { seq, at } = item
    if (seq !== null && remaining.length > 0) {
      for (const gap of remaining.filter(({ from }) => from < seq)) rows.push(toGapRow(gap))
      remaining = remaining.filter(({ from }) => from > seq)
    }
    // Pending ones stand at the end, whichever holes are known.
    if (seq === null) {
      rows.push(...remaining.map(toGapRow))
      remaining = []
    }
    const itsDay = dayAt(at)
    if (itsDay !== day) {
      day = itsDay
      // A day can come twice, where what waits to be sent was written before a clock was put right.
      const key = days.has(itsDay) ? `day:${itsDay}:${item.id}` : `day:${itsDay}`
      days.add(itsDay)
      rows.push({ kind: "day", key, at })
    }
    if (!isUnreadMarked && isUnread(item)) {
      isUnreadMarked = true
      rows.push({ kind: "unread", key: unreadKey })
    }
    if (item.kind === "said") addSaid(item)
    else addSystem(item)
  }
  return [...rows, ...remaining.map(toGapRow)]
}

const toGapRow = ({ from, to }: { from: number; to: number }): TimelineRow => ({
  ...{ kind: "gap", key: `gap:${from}`, count: to - from + 1 },
})
