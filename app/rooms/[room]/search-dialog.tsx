"use client"
import { Dialog } from "@base-ui/react/dialog"
import { clsx } from "clsx"
import { LoaderCircle, Search, X } from "lucide-react"
import { useFormatter, useTranslations } from "next-intl"
import { type KeyboardEvent, type ReactNode, useEffect, useId, useRef, useState } from "react"
import { isRealtimeError, type RealtimeErrorCode } from "throughline"
import { type SearchResult, searchRoom } from "#lib/chat/api.ts"
import { highlight } from "#lib/chat/highlight.ts"
import { plainTextOf } from "#lib/chat/rich-text.ts"
import type { Room } from "#lib/chat/rooms.ts"
import { lengthOf } from "#lib/chat/visible-text.ts"
import { Avatar } from "../../_components/avatar.tsx"
import { Button, iconButtonClass } from "../../_components/button.tsx"
import { useMe } from "../../_components/chat-provider.tsx"
import { useSingleKeys } from "../../_components/single-keys.ts"
import { useRoomName } from "../../_components/use-room-name.ts"
import { useJump } from "./jump.tsx"
import { NameMark } from "./room-people.tsx"
import { useTimeZone } from "./use-time-zone.ts"

const typingPauseMs = 200
/** In characters. It goes into the address of a request. */
const maxQueryLength = 200

/** A key that opens the search, unless it belongs to what somebody writes. */
function opensSearch(event: globalThis.KeyboardEvent, hasSingleKeys: boolean): boolean {
  if ((event.metaKey || event.ctrlKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k")
    return true
  const target = event.target as HTMLElement
  return (
    event.key === "/" &&
    hasSingleKeys &&
    !(event.metaKey || event.ctrlKey || event.altKey) &&
    !target.isContentEditable &&
    target.closest("input, textarea, select, [role=dialog], [role=alertdialog], [role=menu]") === null
  )
}

/** The button that opens the search in a room, and the keys that do: Ctrl or Cmd and K, and the slash. */
export function SearchDialog({ room }: { room: Room }) {
  const t = useTranslations("search")
  const nameOf = useRoomName()
  const [hasSingleKeys] = useSingleKeys()
  const [isOpen, setIsOpen] = useState(false)

  useEffect(() => {
    const onKeyDown = (event: globalThis.KeyboardEvent) => {
      if (event.defaultPrevented || event.isComposing || !opensSearch(event, hasSingleKeys)) return
      event.preventDefault()
      setIsOpen(true)
    }
    window.addEventListener("keydown", onKeyDown)
    return () => window.removeEventListener("keydown", onKeyDown)
  }, [hasSingleKeys])

  return (
    <Dialog.Root open={isOpen} onOpenChange={setIsOpen}>
      <Dialog.Trigger aria-label={t("open")} title={t("open")} className={iconButtonClass()}>
        <Search size={19} aria-hidden="true" />
      </Dialog.Trigger>
      <Dialog.Portal>
        <Dialog.Backdrop className="fixed inset-0 z-40 bg-black/40 transition-opacity data-ending-style:opacity-0 data-starting-style:opacity-0" />
        <Dialog.Popup className="fixed top-[max(0.5rem,env(safe-area-inset-top))] left-1/2 z-50 flex max-h-[calc(100dvh-1rem)] w-[calc(100vw-1rem)] max-w-2xl -translate-x-1/2 flex-col overflow-hidden rounded-2xl border border-line bg-surface shadow-(--shadow) transition data-ending-style:scale-98 data-starting-style:scale-98 data-ending-style:opacity-0 data-starting-style:opacity-0 sm:top-[10dvh] sm:max-h-[75dvh]">
          <Dialog.Title className="sr-only">{t("title", { room: nameOf(room) })}</Dialog.Title>
          <SearchPanel room={room} onClose={() => setIsOpen(false)} />
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  )
}

interface Found {
  /** What these are the results of. */
  query: string
  results: readonly SearchResult[]
  next: number | null
  isIndexing: boolean
}

/** What the server finds for the words as they are typed, page after page. */
function useSearch(roomId: string, query: string) {
  const me = useMe()
  const [found, setFound] = useState<Found | null>(null)
  const [error, setError] = useState<RealtimeErrorCode | null>(null)
  const [isSearching, setIsSearching] = useState(false)
  const request = useRef<AbortController | null>(null)

  async function ask(before?: number): Promise<void> {
    request.current?.abort()
    const controller = new AbortController()
    request.current = controller
    const { signal } = controller
    setIsSearching(true)
    setError(null)
    try {
      const page = await searchRoom(me.id, roomId, query, { before, signal })
      if (signal.aborted) return
      setFound((earlier) => ({
        ...page,
        query,
        results: before === undefined ? page.results : [...(earlier?.results ?? []), ...page.results],
      }))
    } catch (reason) {
      if (signal.aborted) return
      setError(isRealtimeError(reason) ? reason.code : "internal")
    }
    setIsSearching(false)
  }

  useEffect(() => {
    if (query === "") {
      setFound(null)
      setError(null)
      setIsSearching(false)
      return
    }
    const timer = setTimeout(() => void ask(), typingPauseMs)
    return () => {
      clearTimeout(timer)
      request.current?.abort()
    }
  }, [roomId, query])

  return {
    ...{ found, error, isSearching },
    more() {
      if (found?.next != null && !isSearching) void ask(found.next)
    },
    retry: () => void ask(),
  }
}

function SearchPanel({ room, onClose }: { room: Room; onClose(): void }) {
  const t = useTranslations("search")
  const length = useTranslations("length")
  const errors = useTranslations("errors")
  const nameOf = useRoomName()
  const jump = useJump()
  const id = useId()
  const [text, setText] = useState("")
  /** Half a word that an input method still works on is nothing to search for. */
  const [query, setQuery] = useState("")
  const [chosen, setChosen] = useState(0)
  const isTooLong = lengthOf(query) > maxQueryLength
  const { found, error, isSearching, more, retry } = useSearch(room.id, isTooLong ? "" : query)
  const results = found?.results ?? []
  const hasMore = found?.next != null
  const count = results.length + (hasMore ? 1 : 0)
  const isOpen = count > 0 && !error

  function change(value: string, isComposing: boolean): void {
    setText(value)
    if (isComposing) return
    setQuery(value.trim())
    setChosen(0)
  }

  function choose(index: number): void {
    const result = results[index]
    if (result) {
      onClose()
      jump({ id: result.id, seq: result.seq })
    } else more()
  }

  function onKeyDown(event: KeyboardEvent): void {
    if (event.nativeEvent.isComposing || event.keyCode === 229 || count === 0) return
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (step) setChosen((chosen + step + count) % count)
    else if (event.key === "Enter") choose(chosen)
    else return
    event.preventDefault()
  }

  useEffect(() => {
    document.getElementById(`${id}-${chosen}`)?.scrollIntoView({ block: "nearest" })
  }, [id, chosen])

  return (
    <>
      <div className="flex items-center gap-2 border-line border-b px-3 py-2 focus-within:shadow-[inset_0_-2px_0_var(--accent)]">
        {isSearching ? (
          <LoaderCircle size={19} aria-hidden="true" className="shrink-0 animate-spin text-muted" />
        ) : (
          <Search size={19} aria-hidden="true" className="shrink-0 text-muted" />
        )}
        <input
          type="text"
          role="combobox"
          value={text}
          aria-label={t("title", { room: nameOf(room) })}
          aria-expanded={isOpen}
          aria-controls={`${id}-results`}
          aria-autocomplete="list"
          aria-activedescendant={isOpen ? `${id}-${chosen}` : undefined}
          placeholder={t("placeholder")}
          autoComplete="off"
          enterKeyHint="search"
          aria-invalid={isTooLong || undefined}
          className="min-h-10 min-w-0 flex-1 bg-transparent text-base outline-none placeholder:text-muted"
          onChange={(event) =>
            change(event.currentTarget.value, (event.nativeEvent as InputEvent).isComposing === true)
          }
          onCompositionEnd={(event) => change(event.currentTarget.value, false)}
          onKeyDown={onKeyDown}
        />
        <Dialog.Close aria-label={t("close")} className={iconButtonClass("-mr-1.5")}>
          <X size={19} aria-hidden="true" />
        </Dialog.Close>
      </div>

      {isTooLong ? (
        <Notice>
          <p role="alert" className="font-medium">
            {length("tooLong", { max: maxQueryLength })}
          </p>
          <p className="text-muted text-sm">{t("noneHint")}</p>
        </Notice>
      ) : error ? (
        <Notice>
          <p className="font-medium">{t("failed")}</p>
          <p className="text-muted text-sm">{errors(error)}</p>
          <Button onClick={retry}>{t("retry")}</Button>
        </Notice>
      ) : found === null ? (
        <Notice>
          <p className="text-muted text-sm">{isSearching ? t("searching") : t("start")}</p>
        </Notice>
      ) : results.length === 0 ? (
        <Notice>
          <p className="font-medium">{t("none", { query: found.query })}</p>
          <p className="text-muted text-sm">{found.isIndexing ? t("indexing") : t("noneHint")}</p>
        </Notice>
      ) : null}
      <ul
        id={`${id}-results`}
        // biome-ignore lint/a11y/noNoninteractiveElementToInteractiveRole: the field above moves through it
        role="listbox"
        aria-label={t("title", { room: nameOf(room) })}
        hidden={!isOpen}
        className={clsx(
          "grid min-h-0 flex-1 content-start gap-0.5 overflow-y-auto overscroll-contain p-1.5 transition-opacity",
          isSearching && "opacity-60",
        )}
      >
        {results.map((result, index) => (
          <Option
            key={result.id}
            id={`${id}-${index}`}
            isChosen={index === chosen}
            onPoint={() => setChosen(index)}
            onChoose={() => choose(index)}
          >
            <Result result={result} query={found?.query ?? ""} />
          </Option>
        ))}
        {hasMore && (
          <Option
            id={`${id}-${results.length}`}
            isChosen={chosen === results.length}
            onPoint={() => setChosen(results.length)}
            onChoose={more}
          >
            <span className="w-full py-1.5 text-center font-medium text-accent text-sm">{t("more")}</span>
          </Option>
        )}
      </ul>
      {isOpen && found?.isIndexing && <p className="px-4 py-2 text-muted text-xs">{t("indexing")}</p>}

      <p className="flex min-h-9 items-center justify-between gap-3 border-line border-t px-4 text-muted text-xs max-sm:has-[:first-child:empty]:sr-only">
        <span role="status">
          {!found || error || isSearching || results.length === 0
            ? ""
            : t(hasMore ? "foundSome" : "found", { count: results.length })}
        </span>
        <span className="hidden sm:inline">{t("keys")}</span>
      </p>
    </>
  )
}

const Notice = ({ children }: { children: ReactNode }) => (
  <div className="grid justify-items-center gap-2 px-4 py-10 text-center">{children}</div>
)

interface OptionProps {
  id: string
  isChosen: boolean
  onPoint(): void
  onChoose(): void
  children: ReactNode
}

function Option({ id, isChosen, onPoint, onChoose, children }: OptionProps) {
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the field above has the keyboard
    <li
      id={id}
      // biome-ignore lint/a11y/noNoninteractiveElementToInteractiveRole: an entry of the list box
      role="option"
      aria-selected={isChosen}
      tabIndex={-1}
      onPointerMove={onPoint}
      onClick={onChoose}
      className={clsx("flex cursor-pointer gap-3 rounded-xl px-3 py-2", isChosen && "bg-raised")}
    >
      {children}
    </li>
  )
}

const dateAndTime = {
  ...({ year: "numeric", month: "short", day: "numeric", hour: "numeric", minute: "2-digit" } as const),
}

function Result({ result: { from, at, text }, query }: { result: SearchResult; query: string }) {
  const t = useTranslations("messages")
  const format = useFormatter()
  const timeZone = useTimeZone()
  const name = from.name || t("somebody")
  return (
    <>
      <Avatar id={from.id} name={name} size={32} />
      <span className="grid min-w-0 flex-1 gap-0.5">
        <span className="flex items-baseline justify-between gap-3 text-xs">
          <span className="flex min-w-0 gap-2">
            <span dir="auto" className="truncate font-semibold">
              {name}
            </span>
            <NameMark id={from.id} />
          </span>
          <time dateTime={new Date(at).toISOString()} className="shrink-0 text-muted">
            {format.dateTime(at, { ...dateAndTime, timeZone })}
          </time>
        </span>
        <span dir="auto" className="line-clamp-3 text-sm wrap-anywhere">
          {highlight(plainTextOf(text), query).map((part, index) =>
            part.isHit ? (
              <mark key={index} className="rounded-xs bg-accent-soft px-0.5 font-semibold text-text">
                {part.text}
              </mark>
            ) : (
              part.text
            ),
          )}
        </span>
      </span>
    </>
  )
}
