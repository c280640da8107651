import type { ChannelMessage, PendingMessage } from "#realtime/client"
import type { RoomDefinition } from "./channels.ts"

export type RoomMessage = ChannelMessage<RoomDefinition>
export type PendingRoomMessage = PendingMessage<RoomDefinition>
type SystemMessage = Exclude<RoomMessage, { event: "text-sent" }>

/** What a list of messages shows, from top to bottom. */
export type TimelineRow =
  | { kind: "day"; key: string; at: number }
  | { kind: "system"; key: string; message: SystemMessage }
  | { kind: "gap"; key: string; count: number }
  | {
      kind: "group"
      key: string
      sender: { id: string; name: string | null }
      at: number
      entries: TimelineEntry[]
    }

export interface TimelineEntry {
  id: string
  text: string
  at: number
  state: PendingRoomMessage["state"]
  error?: PendingRoomMessage["error"]
}

/** One person's messages stand together while they follow one another within this time. */
const groupWithinMs = 60_000

/** The day of a moment where the reader is. */
const dayOf = (at: number, timeZone: string | undefined) =>
  new Intl.DateTimeFormat("en-CA", { timeZone, year: "numeric", month: "2-digit", day: "2-digit" }).format(at)

export interface TimelineInput {
  messages: readonly RoomMessage[]
  pending: readonly PendingRoomMessage[]
  gaps: readonly { from: number; to: number }[]
  me: { id: string; name: string }
  timeZone?: string | undefined
}

/** Folds log entries and one's own pending messages into rows: days, groups by sender, system lines, holes. */
export function toTimeline({ messages, pending, gaps, me, timeZone }: TimelineInput): TimelineRow[] {
  const rows: TimelineRow[] = []
  let day = ""

  function separate(at: number): void {
    const next = dayOf(at, timeZone)
    if (next === day) return
    day = next
    rows.push({ kind: "day", key: `day:${next}`, at })
  }

  function addEntry(sender: { id: string; name: string | null }, entry: TimelineEntry): void {
    const last = rows.at(-1)
    const previous = last?.kind === "group" ? last.entries.at(-1) : undefined
    if (
      last?.kind === "group" &&
      last.sender.id === sender.id &&
      entry.at - (previous?.at ?? 0) < groupWithinMs
    ) {
      last.entries.push(entry)
    } else {
      rows.push({ kind: "group", key: `group:${entry.id}`, sender, at: entry.at, entries: [entry] })
    }
  }

  let remaining = [...gaps].sort((a, b) => a.from - b.from)
  for (const message of messages) {
    for (const gap of remaining.filter(({ from }) => from < message.seq)) {
      rows.push({ kind: "gap", key: `gap:${gap.from}`, count: gap.to - gap.from + 1 })
    }
    remaining = remaining.filter(({ from }) => from > message.seq)
    separate(message.at)
    if (message.event === "text-sent") {
      const sender = { id: message.from?.id ?? "", name: message.from?.name ?? null }
      addEntry(sender, { id: message.id, text: message.payload.text, at: message.at, state: "sent" })
    } else {
      rows.push({ kind: "system", key: message.id, message })
    }
  }
  for (const gap of remaining)
    rows.push({ kind: "gap", key: `gap:${gap.from}`, count: gap.to - gap.from + 1 })
  for (const { id, event, payload, at, state, error } of pending) {
    if (event !== "text-sent" || !("text" in payload)) continue
    separate(at)
    addEntry(me, { id, text: payload.text, at, state, ...(error && { error }) })
  }
  return rows
}
