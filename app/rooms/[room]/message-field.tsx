"use client"
import { clsx } from "clsx"
import { useTranslations } from "next-intl"
import {
  type ComponentProps,
  type KeyboardEvent,
  type Ref,
  useEffect,
  useId,
  useImperativeHandle,
  useLayoutEffect,
  useRef,
  useState,
} from "react"
import type { Draft } from "#lib/chat/drafts.ts"
import { type MentionQuery, matchPeople, mentionQueryAt } from "#lib/chat/mentions.ts"
import { Avatar } from "../../_components/avatar.tsx"
import { useMe } from "../../_components/chat-provider.tsx"
import { isComposing } from "../../_components/is-composing.ts"
import { useIsTouch } from "../../_components/use-is-touch.ts"
import { NameMark, type RoomPerson, useRoomPeople } from "./room-people.tsx"

const maxHeight = 150
/** A text of this length is higher than that on any screen: nothing needs to be measured. */
const surelyHigh = 3000
const maxOffered = 6

interface Props extends Omit<ComponentProps<"textarea">, "value" | "onChange" | "ref"> {
  ref?: Ref<HTMLTextAreaElement>
  draft: Draft
  onChange(draft: Draft): void
  /** Enter, unless it belongs to the input method, to a list that is open or to a line break, which it always is on a phone. */
  onEnter(): void
  onEscape(): void
}

/** Where one writes: grows with the text, offers names after an `@` above the nearest positioned box, and leaves the input method its keys. */
export function MessageField({
  ref,
  draft,
  onChange,
  onEnter,
  onEscape,
  onKeyDown,
  enterKeyHint,
  className,
  ...props
}: Props) {
  const field = useRef<HTMLTextAreaElement>(null)
  useImperativeHandle(ref, () => field.current as HTMLTextAreaElement)
  const { text, chosen } = draft
  const mention = useMentionList(text)
  const isTouch = useIsTouch()

  useLayoutEffect(() => {
    const { current } = field
    if (!current) return
    if (text.length > surelyHigh) {
      current.style.height = `${maxHeight}px`
      return
    }
    current.style.height = "auto"
    current.style.height = `${Math.min(maxHeight, current.scrollHeight)}px`
  }, [text])

  /** Where the cursor belongs once what was chosen stands in the field. */
  const cursor = useRef<number | null>(null)
  useLayoutEffect(() => {
    if (cursor.current === null) return
    field.current?.setSelectionRange(cursor.current, cursor.current)
    cursor.current = null
  })

  function choose({ id, name }: RoomPerson): void {
    if (!mention.query) return
    const { at, query } = mention.query
    const written = `@${name} `
    cursor.current = at + written.length
    mention.close(at)
    onChange({
      text: text.slice(0, at) + written + text.slice(at + 1 + query.length).replace(/^ /, ""),
      chosen: [...chosen.filter((person) => person.id !== id), { id, name }],
    })
    field.current?.focus()
  }

  function handleKey(event: KeyboardEvent<HTMLTextAreaElement>): void {
    if (isComposing(event)) return
    const person = mention.offered[mention.active]
    // A name that is written in full, and is nobody else's, needs no choice.
    const isWritten = mention.offered.length === 1 && person?.name === mention.query?.query
    const isChoice = event.key === "Tab" || (event.key === "Enter" && !isWritten)
    if (person && !event.shiftKey && isChoice) choose(person)
    else if (person && event.key === "ArrowDown") mention.move(1)
    else if (person && event.key === "ArrowUp") mention.move(-1)
    else if (person && event.key === "Escape") mention.close()
    else if (event.key === "Enter" && !event.shiftKey && !isTouch) onEnter()
    else if (event.key === "Escape") onEscape()
    else {
      onKeyDown?.(event)
      return
    }
    event.preventDefault()
  }

  return (
    <div className={clsx("min-w-0", className)}>
      <textarea
        ref={field}
        rows={1}
        value={text}
        dir="auto"
        // A browser that reloads a page puts back what stood in its fields, whoever it belongs to by then. Drafts are ours to keep.
        autoComplete="off"
        enterKeyHint={isTouch ? "enter" : enterKeyHint}
        aria-autocomplete="list"
        aria-haspopup="listbox"
        aria-controls={mention.offered.length > 0 ? mention.listId : undefined}
        aria-activedescendant={mention.offered.length > 0 ? mention.optionId(mention.active) : undefined}
        className="block max-h-[150px] min-h-10 w-full resize-none bg-transparent py-2 text-base leading-6 outline-none placeholder:text-muted"
        onChange={({ currentTarget: { value, selectionEnd } }) => {
          mention.look(value, selectionEnd)
          onChange({ text: value, chosen })
        }}
        onSelect={({ currentTarget: { value, selectionStart, selectionEnd } }) =>
          mention.look(value, selectionStart === selectionEnd ? selectionEnd : -1)
        }
        onBlur={() => mention.close()}
        onKeyDown={handleKey}
        {...props}
      />
      <MentionList mention={mention} onChoose={choose} />
    </div>
  )
}

/** What is offered after an `@`, and which of it is marked. */
function useMentionList(text: string) {
  const me = useMe()
  const { people, refresh } = useRoomPeople()
  const [query, setQuery] = useState<MentionQuery | null>(null)
  const [active, setActive] = useState(0)
  /** The `@` that one has done with: chosen for, or closed. */
  const done = useRef<number | null>(null)
  const listId = useId()
  // Another text came from elsewhere: a draft, an emoji, nothing after it was sent.
  const isCurrent =
    query !== null && text.slice(query.at + 1, query.at + 1 + query.query.length) === query.query
  const others = people.filter(({ id }) => id !== me.id)
  const offered = isCurrent && text !== "" ? matchPeople(others, query.query, maxOffered) : []
  const isOpen = query !== null
  useEffect(() => {
    if (isOpen) refresh()
  }, [isOpen, refresh])
  return {
    listId,
    offered,
    query: isCurrent ? query : null,
    active: Math.min(active, Math.max(0, offered.length - 1)),
    optionId: (index: number) => `${listId}-${index}`,
    move: (by: number) => setActive((active + by + offered.length) % offered.length),
    close(at = query?.at ?? null) {
      done.current = at
      setQuery(null)
    },
    look(value: string, cursor: number) {
      const found = cursor < 0 ? null : mentionQueryAt(value, cursor)
      if (found?.at !== done.current) done.current = null
      if (found?.query !== query?.query) setActive(0)
      setQuery(found && found.at === done.current ? null : found)
    },
  }
}

interface ListProps {
  mention: ReturnType<typeof useMentionList>
  onChoose(person: RoomPerson): void
}

function MentionList({ mention: { offered, active, listId, optionId }, onChoose }: ListProps) {
  const t = useTranslations("mentions")
  return (
    <>
      <p role="status" className="sr-only">
        {offered.length > 0 && t("offered", { count: offered.length })}
      </p>
      {offered.length > 0 && (
        <div
          role="listbox"
          id={listId}
          aria-label={t("label")}
          // The field keeps the focus.
          onPointerDown={(event) => event.preventDefault()}
          className="absolute bottom-full left-0 z-30 mb-1.5 w-72 max-w-full overflow-hidden rounded-2xl border border-line bg-surface p-1.5 shadow-(--shadow)"
        >
          {offered.map((person, index) => (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are the field's, which names the marked option
            <div
              key={person.id}
              role="option"
              id={optionId(index)}
              tabIndex={-1}
              aria-selected={index === active}
              onClick={() => onChoose(person)}
              className={clsx(
                "flex min-h-10 cursor-pointer items-center gap-2.5 rounded-xl px-2 text-sm hover:bg-raised",
                index === active && "bg-raised",
              )}
            >
              <Avatar id={person.id} name={person.name} size={28} />
              <span className="min-w-0 truncate" dir="auto">
                {person.name}
              </span>
              <NameMark id={person.id} />
            </div>
          ))}
        </div>
      )}
    </>
  )
}
