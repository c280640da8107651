"use client"
import { ArrowDown } from "lucide-react"
import { useTranslations } from "next-intl"
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react"
import { type PendingRoomMessage, type RoomMessage, toTimeline } from "#lib/chat/timeline.ts"
import { Button } from "../../_components/button.tsx"
import { TimelineItem } from "./timeline-item.tsx"

/** So close to the end, new messages are followed. */
const stickWithinPx = 80

export interface MessageListProps {
  messages: RoomMessage[]
  pending: readonly PendingRoomMessage[]
  gaps: { from: number; to: number }[]
  hasOlder: boolean
  isLoadingOlder: boolean
  wasReset: boolean
  me: { id: string; name: string }
  /** What counts as today. */
  now: number
  loadOlder(): Promise<void>
  retry(id: string): void
  discard(id: string): void
}

/** Where the reader is, once the browser is: until then days and times are those of UTC, as on the server. */
function useTimeZone(): string | undefined {
  const [timeZone, setTimeZone] = useState<string | undefined>("UTC")
  useEffect(() => setTimeZone(undefined), [])
  return timeZone
}

/** Draws messages; knows nothing of where they come from. */
export function MessageList(props: MessageListProps) {
  const { messages, pending, gaps, hasOlder, isLoadingOlder, wasReset, me, now, loadOlder, retry, discard } =
    props
  const t = useTranslations("messages")
  const timeZone = useTimeZone()
  const scroller = useRef<HTMLDivElement>(null)
  const isAtEnd = useRef(true)
  const [unseen, setUnseen] = useState<number | null>(null)
  const rows = useMemo(
    () => toTimeline({ messages, pending, gaps, me, timeZone }),
    [messages, pending, gaps, me, timeZone],
  )

  const toEnd = useCallback((behavior: ScrollBehavior = "auto") => {
    scroller.current?.scrollTo({ top: scroller.current.scrollHeight, behavior })
  }, [])

  /** What was seen last, to tell what is new and who wrote it. */
  const seen = useRef({
    newest: messages.at(-1)?.seq ?? 0,
    pending: pending.length,
    oldest: messages[0]?.seq,
    height: 0,
  })
  useLayoutEffect(() => {
    const { current } = scroller
    if (!current) return
    const before = seen.current
    const newest = messages.at(-1)?.seq ?? 0
    const oldest = messages[0]?.seq
    if (oldest !== undefined && before.oldest !== undefined && oldest < before.oldest && !isAtEnd.current) {
      // Older ones came in above: what is being read stays where it is.
      current.scrollTop += current.scrollHeight - before.height
    } else if (isAtEnd.current || pending.length > before.pending) {
      toEnd()
    } else if (newest > before.newest) {
      const arrived = messages.filter(({ seq }) => seq > before.newest).length
      setUnseen((count) => (count ?? 0) + arrived)
    }
    seen.current = { newest, pending: pending.length, oldest, height: current.scrollHeight }
  }, [messages, pending, toEnd])

  // Pictures of a room's size change with the keyboard of a phone, or a banner: the end stays in sight.
  useEffect(() => {
    const { current } = scroller
    if (!current) return
    const observer = new ResizeObserver(() => isAtEnd.current && toEnd())
    observer.observe(current)
    return () => observer.disconnect()
  }, [toEnd])

  function onScroll(): void {
    const { current } = scroller
    if (!current) return
    const distance = current.scrollHeight - current.scrollTop - current.clientHeight
    isAtEnd.current = distance < stickWithinPx
    setUnseen((count) => (isAtEnd.current ? null : (count ?? 0)))
    if (current.scrollTop < 200 && hasOlder && !isLoadingOlder) void loadOlder()
  }

  return (
    <div className="relative min-h-0 flex-1">
      <div
        ref={scroller}
        onScroll={onScroll}
        role="log"
        aria-label={t("label")}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: whoever has no mouse scrolls it by the keyboard
        tabIndex={0}
        className="h-full overflow-y-auto overscroll-contain px-3 py-4 -outline-offset-2 md:px-5"
      >
        <div className="mx-auto flex min-h-full max-w-4xl flex-col justify-end">
          <div className="grid justify-items-center py-3 text-center text-muted text-sm">
            {hasOlder ? (
              <Button look="quiet" onClick={() => void loadOlder()} disabled={isLoadingOlder}>
                {isLoadingOlder ? t("loadingOlder") : t("loadOlder")}
              </Button>
            ) : (
              <p>{t("start")}</p>
            )}
            {wasReset && <p className="pt-2">{t("reset")}</p>}
          </div>
          {rows.map((row) => (
            <TimelineItem
              key={row.key}
              row={row}
              me={me}
              now={now}
              timeZone={timeZone}
              retry={retry}
              discard={discard}
            />
          ))}
          {rows.length === 0 && <p className="py-10 text-center text-muted">{t("empty")}</p>}
        </div>
      </div>
      {unseen !== null && (
        <button
          type="button"
          onClick={() => toEnd("smooth")}
          className="absolute bottom-3 left-1/2 flex min-h-10 -translate-x-1/2 items-center gap-2 rounded-full border border-line bg-surface px-4 font-medium text-sm shadow-(--shadow)"
        >
          <ArrowDown size={16} aria-hidden="true" className="text-accent" />
          {t("latest", { count: unseen })}
        </button>
      )}
    </div>
  )
}
