"use client"
import { useTranslations } from "next-intl"
import { useEffect, useLayoutEffect, useMemo, useState } from "react"
import { createPortal, flushSync } from "react-dom"
import type { Conversation } from "#lib/chat/conversation.ts"
import type { Room } from "#lib/chat/rooms.ts"
import { toTimeline } from "#lib/chat/timeline.ts"
import { useRoomName } from "../../_components/use-room-name.ts"
import { AttentionContext, createAttention } from "./attention.ts"
import { useRoomActions } from "./room-actions.ts"
import { TimelineRowView } from "./timeline-row.tsx"
import type { FindOrigin } from "./use-origins.ts"
import { useTimeZone } from "./use-time-zone.ts"

/** So many are drawn at once in a second or two. They fill some hundred pages. */
const maxPrinted = 2_000

interface Props {
  room: Room
  conversation: Conversation
  findOrigin: FindOrigin
  gaps: readonly { from: number; to: number }[]
  hasOlder: boolean
  isTruncated: boolean
}

/**
 * A room on paper: all that is loaded of what was said, and nothing of what one does with it. On the screen only a part of that stands in
 * the document, each row at a place of its own; so there is this for as long as the page is printed, and `globals.css` leaves out the rest.
 */
export function PrintedRoom(props: Props) {
  const isPrinting = useIsPrinting()
  return isPrinting && createPortal(<Pages {...props} />, document.body)
}

function useIsPrinting(): boolean {
  const [isPrinting, setIsPrinting] = useState(false)
  useEffect(() => {
    // What isn't drawn by the time this returns isn't printed.
    const begin = () => flushSync(() => setIsPrinting(true))
    const end = () => setIsPrinting(false)
    window.addEventListener("beforeprint", begin)
    window.addEventListener("afterprint", end)
    return () => {
      window.removeEventListener("beforeprint", begin)
      window.removeEventListener("afterprint", end)
    }
  }, [])
  return isPrinting
}

function Pages({ room, conversation, findOrigin, gaps, hasOlder, isTruncated }: Props) {
  const t = useTranslations("messages")
  const nameOf = useRoomName()
  const timeZone = useTimeZone()
  const myId = useRoomActions().me.id
  const [attention] = useState(createAttention)
  const { items } = conversation
  const rows = useMemo(
    () => toTimeline({ items: items.slice(-maxPrinted), gaps, firstUnread: null, myId, timeZone }),
    [items, gaps, myId, timeZone],
  )
  useLayoutEffect(() => {
    document.documentElement.dataset.printing = "room"
    return () => {
      delete document.documentElement.dataset.printing
    }
  }, [])
  const start =
    items.length > maxPrinted
      ? t("printedLatest", { count: maxPrinted })
      : t(hasOlder ? "printedLoaded" : isTruncated ? "truncated" : "start")
  return (
    <AttentionContext value={attention}>
      <div data-print="room" className="hidden print:block">
        <h1 className="font-semibold text-xl tracking-tight">{nameOf(room)}</h1>
        <p className="py-2 text-sm">{start}</p>
        {rows.map((row) => (
          <div key={row.key} className={row.kind === "day" ? "break-after-avoid" : "break-inside-avoid"}>
            <TimelineRowView
              row={row}
              replied={row.kind === "said" && row.said.replyTo ? findOrigin(row.said.replyTo.id) : null}
              // On paper no day is today.
              now={0}
              timeZone={timeZone}
              isTabStop={false}
              isEditing={false}
              isHighlighted={false}
            />
          </div>
        ))}
      </div>
    </AttentionContext>
  )
}
