"use client"
import { useFormatter, useTranslations } from "next-intl"
import { memo } from "react"
import type { Quoted, SystemMessage } from "#lib/chat/conversation.ts"
import type { TimelineRow } from "#lib/chat/timeline.ts"
import { dayBefore, dayOf } from "#lib/i18n/calendar.ts"
import { isolated } from "#lib/i18n/isolated.ts"
import { Message } from "./message.tsx"
import { useMarkedName } from "./room-people.tsx"

export interface TimelineRowProps {
  row: TimelineRow
  /** What counts as today. */
  now: number
  timeZone: string
  /** Of a message: what it answers, as far as that is known. */
  replied: Quoted | "gone" | null
  /** Of a message: whether the Tab key comes to it. */
  isTabStop: boolean
  isEditing: boolean
  isHighlighted: boolean
}

export const TimelineRowView = memo(function TimelineRowView({
  row,
  now,
  timeZone,
  ...state
}: TimelineRowProps) {
  switch (row.kind) {
    case "day":
      return <DaySeparator at={row.at} now={now} timeZone={timeZone} />
    case "gap":
      return <GapLine count={row.count} />
    case "system":
      return <SystemLine messages={row.messages} />
    case "unread":
      return <UnreadLine />
    case "said":
      return (
        <Message said={row.said} isFirst={row.isFirst} isLast={row.isLast} timeZone={timeZone} {...state} />
      )
  }
}, isSame)

/** A row is made anew with each change of the list; what it shows seldom is. */
function isSame(before: TimelineRowProps, after: TimelineRowProps): boolean {
  if (before.row.kind === "said" && after.row.kind === "said") {
    return (
      before.row.said === after.row.said &&
      before.replied === after.replied &&
      before.row.isFirst === after.row.isFirst &&
      before.row.isLast === after.row.isLast &&
      before.timeZone === after.timeZone &&
      before.isTabStop === after.isTabStop &&
      before.isEditing === after.isEditing &&
      before.isHighlighted === after.isHighlighted
    )
  }
  const countOf = ({ row }: TimelineRowProps) => (row.kind === "system" ? row.messages.length : 1)
  return (
    before.row.key === after.row.key &&
    countOf(before) === countOf(after) &&
    before.now === after.now &&
    before.timeZone === after.timeZone
  )
}

function DaySeparator({ at, now, timeZone }: { at: number; now: number; timeZone: string }) {
  const t = useTranslations("messages")
  const format = useFormatter()
  const [day, today] = [dayOf(at, timeZone), dayOf(now, timeZone)]
  const text =
    day === today
      ? t("today")
      : day === dayBefore(today)
        ? t("yesterday")
        : format.dateTime(at, { dateStyle: "full", timeZone })
  return (
    <div data-testid="day" className="flex items-center gap-3 py-4 text-muted text-xs">
      <span className="h-px flex-1 bg-line" />
      <time dateTime={new Date(at).toISOString()}>{text}</time>
      <span className="h-px flex-1 bg-line" />
    </div>
  )
}

function UnreadLine() {
  const t = useTranslations("messages")
  return (
    <div data-testid="unread-line" className="flex items-center gap-3 py-2 font-semibold text-accent text-xs">
      <span className="h-px flex-1 bg-accent" />
      {t("unreadLine")}
      <span className="h-px flex-1 bg-accent" />
    </div>
  )
}

function GapLine({ count }: { count: number }) {
  const t = useTranslations("messages")
  return (
    <div className="py-3">
      <p className="rounded-xl bg-warn-soft px-4 py-2 text-center text-sm text-warn">{t("gap", { count })}</p>
    </div>
  )
}

const systemTexts = {
  "room-created": "created",
  "member-joined": "joined",
  "member-left": "left",
  "room-renamed": "renamed",
  "room-deleted": "deletedRoom",
  "member-put-out": "putOut",
  "member-removed": "removed",
  erased: "erased",
} as const

/** So many who joined are all named; of more, two. */
const maxNamed = 3

function SystemLine({ messages }: { messages: readonly [SystemMessage, ...SystemMessage[]] }) {
  const t = useTranslations("messages")
  const format = useFormatter()
  const marked = useMarkedName()
  const [message] = messages
  const names = messages.map(({ from }) => marked(from?.id, from?.name ?? t("somebody")))
  const [first = "", second = ""] = names
  // Of a later release, which others have loaded already, this page may be given what it has no name for.
  const text = Object.hasOwn(systemTexts, message.event) ? systemTexts[message.event] : "newer"
  const person = message.event === "member-removed" ? message.payload.person : null
  return (
    <p data-event={message.event} className="py-1 text-center text-muted text-sm">
      {t(names.length > maxNamed ? "joinedMany" : text, {
        name: format.list(names),
        ...{ first, second, count: names.length - 2 },
        room: message.event === "room-renamed" ? isolated(message.payload.name) : "",
        person: person ? marked(person.id, person.name || t("somebody")) : "",
      })}
    </p>
  )
}
