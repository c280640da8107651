"use client"
import { clsx } from "clsx"
import { ArrowDown, ArrowUp } from "lucide-react"
import { useTranslations } from "next-intl"
import {
  type ComponentProps,
  type KeyboardEvent,
  type ReactNode,
  type Ref,
  useEffect,
  useImperativeHandle,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from "react"
import type { RealtimeError } from "throughline"
import { Virtualizer, type VirtualizerHandle } from "virtua"
import type { Conversation } from "#lib/chat/conversation.ts"
import { type TimelineRow, toTimeline, unreadKey } from "#lib/chat/timeline.ts"
import { Button } from "../../_components/button.tsx"
import { matches } from "../../_components/media.ts"
import { ToastPlace } from "../../_components/toast.tsx"
import { AttentionContext, createAttention } from "./attention.ts"
import { EmptyRoom } from "./empty-room.tsx"
import { useJump } from "./jump.tsx"
import { useRoomActions } from "./room-actions.ts"
import { TimelineRowView } from "./timeline-row.tsx"
import type { FindOrigin } from "./use-origins.ts"
import { useTimeZone } from "./use-time-zone.ts"

/** So close to the end, new messages are followed. */
const stickWithinPx = 80
/** So far outside of what is seen, rows are drawn too: a fast wheel finds them there. */
const bufferPx = 2_000
/** So many rows are drawn whatever is seen: virtua goes on with what the server rendered until the first scroll, which may never come. */
const shortList = 60
const highlightMs = 2_000

export interface MessageListHandle {
  /**
   * Puts a row into the middle, by its message's id or as `unreadKey`, and marks the message there for a moment, with the focus. False
   * where it isn't loaded.
   */
  show(key: string): boolean
  /** Brings the message that is being edited into sight; its field has the focus, unless something else has. False where it isn't loaded. */
  reveal(id: string): boolean
}

export interface MessageListProps {
  ref: Ref<MessageListHandle>
  conversation: Conversation
  findOrigin: FindOrigin
  gaps: readonly { from: number; to: number }[]
  hasOlder: boolean
  isLoadingOlder: boolean
  /** Why older ones couldn't be read: to ask again is the reader's choice. */
  olderError: RealtimeError | null
  isTruncated: boolean
  wasReset: boolean
  firstUnread: number | null
  /** The message whose text is open for editing. */
  editing: string | null
  /** What counts as today. */
  now: number
  loadOlder(): void
  /** The newest message on the screen, as it goes. */
  onSeen(seq: number): void
}

/** The first row: what is above the oldest message. */
type Row = TimelineRow | { kind: "start"; key: "start" }

/** Draws messages; knows nothing of where they come from. Only what is seen, and a little more, stands in the document. */
export function MessageList(props: MessageListProps) {
  const { conversation, findOrigin, gaps, firstUnread, hasOlder, isLoadingOlder, olderError, loadOlder } =
    props
  const { editing, now, onSeen } = props
  const t = useTranslations("messages")
  const timeZone = useTimeZone()
  const isSilent = isSilentIn(props)
  const scroller = useRef<HTMLDivElement>(null)
  const list = useRef<VirtualizerHandle>(null)
  const isAtEnd = useRef(true)
  /** Rows that aren't measured yet say nothing of where the end is, or of what is seen. */
  const isOpening = useRef(false)
  const lastOffset = useRef(0)
  const myId = useRoomActions().me.id
  const jumpTo = useJump()
  /** The newest that has been in sight of whoever is elsewhere in the list; null while its end is. */
  const [seen, setSeen] = useState<number | null>(null)
  /** Whether what one hasn't read begins above, where one hasn't been yet. */
  const [isUnreadAbove, setIsUnreadAbove] = useState(false)
  /** The beginning of what was unread that needn't be pointed at any more. */
  const metUnread = useRef<number | null>(null)
  const [focused, setFocused] = useState<string | null>(null)
  const [highlighted, setHighlighted] = useState<string | null>(null)
  const [attention] = useState(createAttention)
  const rows = useMemo<Row[]>(() => {
    const { items } = conversation
    return [{ kind: "start", key: "start" }, ...toTimeline({ items, gaps, firstUnread, myId, timeZone })]
  }, [conversation, gaps, firstUnread, myId, timeZone])
  const indexes = useMemo(() => new Map(rows.map(({ key }, index) => [key, index])), [rows])
  const tabStop = focused !== null && indexes.has(focused) ? focused : rows.findLast(isSaid)?.key

  const keepMounted = useMemo(() => {
    if (rows.length <= shortList) return rows.map((_, index) => index)
    // What has the focus, or may get it, must not go with scrolling.
    return [...new Set([tabStop, editing].map((id) => indexes.get(id ?? "") ?? 0))]
  }, [rows, indexes, tabStop, editing])
  const isPrepended = useIsPrepended(rows, indexes)
  const isLive = useAlive()

  /** At once: the list's own way waits until rows are measured, and would take back whoever scrolls up meanwhile. */
  function toEnd(): void {
    isAtEnd.current = true
    if (scroller.current) scroller.current.scrollTop = scroller.current.scrollHeight
  }

  /** Before anybody has said anything it is read from its top; the first who does takes everybody along. */
  const isFollowing = () => isAtEnd.current && !isSilent

  /** The whole of a row; one that needn't be scrolled to. */
  function isInSight(index: number): boolean {
    const { current } = list
    if (!current) return false
    const top = current.getItemOffset(index) - current.scrollOffset
    return top >= 0 && top + current.getItemSize(index) <= current.viewportSize
  }

  /** The same by what is drawn: until somebody scrolls, virtua doesn't know where a list was opened. */
  function isSeen(id: string): boolean {
    const view = scroller.current?.getBoundingClientRect()
    const box = messageIn(scroller, id)?.getBoundingClientRect()
    return view !== undefined && box !== undefined && box.top >= view.top && box.bottom <= view.bottom
  }

  /** Puts a row into the middle. */
  function goTo(index: number): void {
    const wasAtEnd = isAtEnd.current
    const before = scroller.current?.scrollTop
    // Else the end would be held in sight.
    isAtEnd.current = false
    list.current?.scrollToIndex(index, { align: "center" })
    // Where nothing moves, no scrolling will tell that the end is still there.
    requestAnimationFrame(() => {
      if (scroller.current?.scrollTop === before) isAtEnd.current = wasAtEnd
    })
  }

  /** Also where nothing is left to scroll. */
  function goToLatest(): void {
    isAtEnd.current = true
    setSeen(null)
    const smooth = !matches("(prefers-reduced-motion: reduce)")
    list.current?.scrollToIndex(rows.length - 1, { align: "end", smooth })
    tellSeen()
  }

  /** Whether what is unread begins in what is loaded. */
  function isUnreadWhole(): boolean {
    const oldest = conversation.items.find(({ seq }) => seq !== null)?.seq ?? 0
    return firstUnread !== null && (!hasOlder || oldest <= firstUnread)
  }

  /** A room opens where one stopped reading: with the line above what is unread at the top, unless all of that fits below it. */
  function open(): void {
    const { current } = scroller
    if (!current || isSilent) return
    // All that the server rendered is still in its place: the end is where it seems to be.
    current.scrollTop = current.scrollHeight
    const index = indexes.get(unreadKey)
    const line = current.querySelector("[data-testid=unread-line]")
    if (!line || index === undefined || !isUnreadWhole()) return
    const above = line.getBoundingClientRect().top - current.getBoundingClientRect().top
    if (above >= 0) return
    isAtEnd.current = false
    isOpening.current = true
    current.scrollTop += above
    // Also once the rows above it are measured, which is before the second frame.
    list.current?.scrollToIndex(index, { align: "start" })
    requestAnimationFrame(() =>
      requestAnimationFrame(() => {
        isOpening.current = false
        tellSeen()
      }),
    )
    setSeen((firstUnread ?? 1) - 1)
  }

  const takeArrived = useArrived(conversation)
  useLayoutEffect(() => {
    if (isLive) open()
  }, [isLive])
  useLayoutEffect(() => {
    if (!isLive) return
    const { arrivedAfter, isMineNew } = takeArrived()
    // Who answers has seen enough.
    if (isMineNew) metUnread.current = firstUnread
    if (isFollowing() || isMineNew) toEnd()
    else if (!isAtEnd.current && arrivedAfter !== null) setSeen((seq) => seq ?? arrivedAfter)
    tellSeen()
  }, [rows, isLive])

  /**
   * Looks whether the line above what is unread is still to be met. By what is drawn where it is: what rows are reckoned to measure is
   * wrong until they have been on the screen.
   */
  function lookForUnread(virtual: VirtualizerHandle): void {
    const index = indexes.get(unreadKey)
    if (firstUnread === null || index === undefined || !scroller.current) {
      setIsUnreadAbove(false)
      return
    }
    const isWhole = isUnreadWhole()
    const view = scroller.current.getBoundingClientRect()
    const line = scroller.current.querySelector("[data-testid=unread-line]")?.getBoundingClientRect()
    if (isWhole && line && line.bottom > view.top && line.top < view.bottom) metUnread.current = firstUnread
    const isAbove = line ? line.bottom <= view.top : index < virtual.findItemIndex(virtual.scrollOffset)
    setIsUnreadAbove((isAbove || !isWhole) && metUnread.current !== firstUnread)
  }

  /** The newest message that the reader can see, which is the last one while they are at the end. */
  function tellSeen(): void {
    const { current } = list
    if (!current || isOpening.current) return
    lookForUnread(current)
    const bottom = current.scrollOffset + current.viewportSize
    const last = isAtEnd.current ? rows.length - 1 : current.findItemIndex(bottom)
    if (isAtEnd.current) {
      const newest = newestSeq(conversation)
      if (newest > 0) onSeen(newest)
      return
    }
    const row = rows.slice(0, last).findLast((row) => isSaid(row) && row.said.seq !== null)
    const read = row && isSaid(row) ? row.said.seq : null
    if (read === null) return
    onSeen(read)
    setSeen((seq) => (seq === null ? null : Math.max(seq, read)))
  }

  function onScroll(offset: number): void {
    const { current } = scroller
    if (!current || !isLive || isOpening.current) return
    // What grows below leaves the end behind without anybody having scrolled.
    const wentUp = offset < lastOffset.current
    lastOffset.current = offset
    // As it is now: where the field below has shrunk, the list has yet to measure itself.
    const isNear = current.scrollHeight - current.scrollTop - current.clientHeight < stickWithinPx
    isAtEnd.current = isNear || (isAtEnd.current && !wentUp)
    setSeen((seq) => (isAtEnd.current ? null : (seq ?? newestSeq(conversation))))
    if (offset < 400 && hasOlder && !isLoadingOlder && !olderError) loadOlder()
    tellSeen()
  }

  // A phone's keyboard, a banner, a picture that came: the end stays in sight.
  useEffect(() => {
    const { current } = scroller
    if (!current || isSilent) return
    const observer = new ResizeObserver(() => {
      if (isAtEnd.current) current.scrollTop = current.scrollHeight
    })
    observer.observe(current)
    return () => observer.disconnect()
  }, [isSilent])

  useEffect(() => {
    if (highlighted === null) return
    const timer = setTimeout(() => setHighlighted(null), highlightMs)
    return () => clearTimeout(timer)
  }, [highlighted])

  useImperativeHandle(
    props.ref,
    () => ({
      show(key) {
        const index = indexes.get(key)
        if (index === undefined) return false
        const id = rows.slice(index).find(isSaid)?.key ?? key
        setFocused(id)
        setHighlighted(id)
        focusSoon(scroller, id)
        if (!isInSight(index)) goTo(index)
        return true
      },
      reveal(id) {
        const index = indexes.get(id)
        if (index === undefined) return false
        if (isSeen(id)) return true
        goTo(index)
        holdFocus(scroller, id)
        return true
      },
    }),
    [rows, indexes],
  )

  /** The arrows go from message to message, as in a list. */
  function onKeyDown(event: KeyboardEvent<HTMLElement>): void {
    const message = event.target instanceof HTMLElement ? event.target.dataset.message : undefined
    if (message === undefined || event.altKey || event.ctrlKey || event.metaKey) return
    const step = { ArrowUp: -1, ArrowDown: 1, Home: -rows.length, End: rows.length }[event.key]
    if (step === undefined) return
    event.preventDefault()
    const messages = rows.filter(isSaid)
    const here = messages.findIndex(({ key }) => key === message)
    const next = messages[Math.min(messages.length - 1, Math.max(0, here + step))]
    const index = indexes.get(next?.key ?? "")
    if (!next || index === undefined) return
    setFocused(next.key)
    list.current?.scrollToIndex(index, { align: "nearest" })
    focusSoon(scroller, next.key)
  }

  return (
    <div className="relative min-h-0 flex-1">
      <div
        ref={scroller}
        role="log"
        // Messages take the focus; where there are none yet, the keyboard scrolls the log itself.
        tabIndex={tabStop === undefined ? 0 : undefined}
        aria-label={t("label")}
        // The announcer says what is new; rows that come and go with scrolling are no news.
        aria-live="off"
        onKeyDown={onKeyDown}
        onFocus={(event) => {
          const message = event.target.closest<HTMLElement>("[data-message]")?.dataset.message
          if (message !== undefined) setFocused(message)
        }}
        className={
          // Before the page comes alive the end is where such a box begins by itself. What stands for what nobody has said yet is read from its top.
          isLive || isSilent
            ? "@container -outline-offset-2 flex h-full flex-col overflow-y-auto overscroll-contain [overflow-anchor:none]"
            : "@container -outline-offset-2 flex h-full flex-col-reverse overflow-y-auto overscroll-contain"
        }
      >
        <div className="flex min-h-full shrink-0 flex-col justify-end">
          <AttentionContext value={attention}>
            <Virtualizer
              ref={list}
              scrollRef={scroller}
              data={rows}
              shift={isPrepended}
              bufferSize={bufferPx}
              itemSize={56}
              ssrCount={rows.length}
              keepMounted={keepMounted}
              onScroll={onScroll}
              onResize={() => isFollowing() && isLive && toEnd()}
            >
              {(row) => (
                <div key={row.key} className="px-conversation">
                  {row.kind === "start" ? (
                    <Start {...props} />
                  ) : (
                    <TimelineRowView
                      row={row}
                      replied={isSaid(row) && row.said.replyTo ? findOrigin(row.said.replyTo.id) : null}
                      now={now}
                      timeZone={timeZone}
                      isTabStop={row.key === tabStop}
                      isEditing={row.key === editing}
                      isHighlighted={row.key === highlighted}
                    />
                  )}
                </div>
              )}
            </Virtualizer>
          </AttentionContext>
          <div className="h-3 shrink-0" />
        </div>
      </div>
      {isUnreadAbove && firstUnread !== null && (
        <Over className="top-3">
          <Pill onClick={() => jumpTo({ id: unreadKey, seq: firstUnread })}>
            <ArrowUp size={16} aria-hidden="true" className="text-accent" />
            {t("firstUnread")}
          </Pill>
        </Over>
      )}
      <Over className="bottom-3">
        <ToastPlace />
        {seen !== null && (
          <Pill onClick={goToLatest}>
            <ArrowDown size={16} aria-hidden="true" className="text-accent" />
            {t("latest", { count: countAfter(conversation, seen, myId) })}
          </Pill>
        )}
      </Over>
    </div>
  )
}

/** What stands over the list, in its middle, one below the other. */
const Over = ({ className, children }: { className: string; children: ReactNode }) => (
  <div className={clsx("pointer-events-none absolute inset-x-3 flex flex-col items-center gap-2", className)}>
    {children}
  </div>
)

const Pill = (props: ComponentProps<"button">) => (
  <button
    type="button"
    className="pointer-events-auto flex min-h-10 items-center gap-2 whitespace-nowrap rounded-full border border-line bg-surface px-4 font-medium text-sm shadow-(--shadow)"
    {...props}
  />
)

const isSaid = (row: Row): row is Extract<Row, { kind: "said" }> => row.kind === "said"

/** True from the first moment at which what is drawn can also be acted upon. */
function useAlive(): boolean {
  const [isAlive, setIsAlive] = useState(false)
  useLayoutEffect(() => setIsAlive(true), [])
  return isAlive
}

/** Whether rows came in above since the last time: what is being read stays where it is then. */
function useIsPrepended(rows: readonly Row[], indexes: ReadonlyMap<string, number>): boolean {
  // Compared with what was drawn last, and not with a drawing that React gave up because something else had come.
  const drawn = useRef({ rows, isPrepended: false })
  let { current } = drawn
  if (current.rows !== rows) {
    const first = current.rows.find(({ kind }) => kind === "said" || kind === "system")
    const was = current.rows.findIndex(({ key }) => key === first?.key)
    current = { rows, isPrepended: first !== undefined && (indexes.get(first.key) ?? 0) > was }
  }
  useLayoutEffect(() => {
    drawn.current = current
  })
  return current.isPrepended
}

/** Of what the log has; 0 where it has nothing. */
const newestSeq = ({ items }: Conversation): number => items.findLast(({ seq }) => seq !== null)?.seq ?? 0

/** How many messages of others came behind this one. */
function countAfter({ items }: Conversation, seen: number, myId: string): number {
  let count = 0
  for (let index = items.length - 1; index >= 0; index -= 1) {
    const item = items[index]
    if (!item || (item.seq !== null && item.seq <= seen)) break
    if (item.kind === "said" && item.seq !== null && !item.isDeleted && item.sender.id !== myId) count += 1
  }
  return count
}

/** Tells what came at the end since it was last asked: behind which message, if anything, and whether one wrote oneself. */
function useArrived(conversation: Conversation) {
  const { items } = conversation
  const last = useRef({ newest: newestSeq(conversation), pending: 0 })
  return () => {
    const before = last.current
    const newest = newestSeq(conversation)
    const pending = items.length - items.findLastIndex(({ seq }) => seq !== null) - 1
    last.current = { newest, pending }
    return {
      arrivedAfter: newest > before.newest ? before.newest : null,
      isMineNew: pending > before.pending,
    }
  }
}

const messageIn = (scroller: { current: HTMLElement | null }, id: string) =>
  scroller.current?.querySelector<HTMLElement>(`[data-message="${CSS.escape(id)}"]`)

/** Once the list has drawn it, and measured it: until then it is hidden, and takes no focus. Within half a second, as frames go. */
function focusSoon(scroller: { current: HTMLElement | null }, id: string, attempts = 30): void {
  requestAnimationFrame(() => {
    const element = messageIn(scroller, id)
    element?.focus({ preventScroll: true })
    const isFocused = element?.matches(":focus")
    if (!isFocused && attempts > 0) focusSoon(scroller, id, attempts - 1)
  })
}

/** A row that is scrolled to before it is measured is hidden meanwhile, and its field loses the focus. Within half a second, as above. */
function holdFocus(scroller: { current: HTMLElement | null }, id: string, frames = 30): void {
  requestAnimationFrame(() => {
    if (document.activeElement === document.body)
      messageIn(scroller, id)?.querySelector("textarea")?.focus({ preventScroll: true })
    if (frames > 0) holdFocus(scroller, id, frames - 1)
  })
}

/** Whether nobody has ever said anything. */
const isSilentIn = ({ conversation, hasOlder, isTruncated }: MessageListProps) =>
  !hasOlder && !isTruncated && !conversation.items.some(({ kind }) => kind === "said")

/** Where the history begins, or how to see more of it. */
function Start(props: MessageListProps) {
  const { hasOlder, isLoadingOlder, isTruncated, wasReset, loadOlder } = props
  const t = useTranslations("messages")
  const isSilent = isSilentIn(props)
  return (
    <div className="grid justify-items-center pt-6 pb-3 text-center text-muted text-sm">
      {hasOlder ? (
        <Button look="quiet" onClick={loadOlder} disabled={isLoadingOlder}>
          {isLoadingOlder ? t("loadingOlder") : t("loadOlder")}
        </Button>
      ) : (
        !isSilent && <p>{t(isTruncated ? "truncated" : "start")}</p>
      )}
      {wasReset && <p className="pt-2">{t("reset")}</p>}
      {isSilent && (
        <div className="w-full text-left text-base text-text">
          <EmptyRoom />
        </div>
      )}
    </div>
  )
}
