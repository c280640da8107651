"use client"
import { useTranslations } from "next-intl"
import {
  createContext,
  type ReactNode,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useState,
} from "react"
import { logError } from "throughline"
import { askPeople } from "#lib/chat/api.ts"
import { isolated } from "#lib/i18n/isolated.ts"
import { useMe } from "../../_components/chat-provider.tsx"
import { NameMarksContext, PeopleContext } from "../../_components/rich-text.tsx"

export interface RoomPerson {
  id: string
  name: string
}

interface RoomPeople {
  /** Who can be mentioned: those who are there now come first. */
  people: readonly RoomPerson[]
  /** What tells those apart whose names could be mistaken for one another, by their ids. */
  marks: ReadonlyMap<string, string>
  /** Asks again who is in the room, unless that was done within so many milliseconds; 30,000 by default. */
  refresh(freshMs?: number): void
}

const RoomPeopleContext = createContext<RoomPeople>({ people: [], marks: new Map(), refresh() {} })

export const useRoomPeople = () => useContext(RoomPeopleContext)

/** So long an answer is good enough for whoever only wants names. */
const goodEnoughMs = 30_000

interface Props {
  roomId: string
  /** Who is there now. */
  present: readonly { user: { id: string; name?: string } }[] | null | undefined
  /** Whoever is named by these is known, too, even when they have left. */
  messages: readonly { from: { id: string; name?: string | null } | null }[]
  children: ReactNode
}

/** Everybody of a room: its members as the server knows them, who is there now, and who wrote what is shown. */
export function RoomPeopleProvider({ roomId, present, messages, children }: Props) {
  const me = useMe()
  const [members, setMembers] = useState<readonly RoomPerson[]>([])
  const askedAt = useRef(Number.NEGATIVE_INFINITY)
  const refresh = useCallback(
    (freshMs = goodEnoughMs) => {
      const at = performance.now()
      if (at - askedAt.current < freshMs) return
      askedAt.current = at
      // An answer that comes behind a later one's request is out of date.
      const isLatest = () => askedAt.current === at
      askPeople(me.id, roomId).then(
        (answered) => isLatest() && setMembers(answered),
        (error) => {
          if (isLatest()) askedAt.current = Number.NEGATIVE_INFINITY
          logError(error, { stage: "chat" })
        },
      )
    },
    [me.id, roomId],
  )
  useEffect(() => refresh(), [refresh])

  const people = useSame(
    useMemo(() => {
      const found = new Map<string, RoomPerson>()
      for (const { user } of present ?? [])
        if (user.name) found.set(user.id, { id: user.id, name: user.name })
      for (const member of members) if (!found.has(member.id)) found.set(member.id, member)
      return [...found.values()]
    }, [present, members]),
  )
  /** Each by every name that something on the page calls them. */
  const called = useSame(
    useMemo(() => {
      const found = new Map<string, Set<string>>()
      const add = (id: string, name: string) => {
        const names = found.get(id) ?? new Set()
        found.set(id, names)
        // The last one is the present one.
        names.delete(name)
        names.add(name)
      }
      for (const { from } of messages) if (from?.name) add(from.id, from.name)
      for (const { id, name } of people) add(id, name)
      return [...found].flatMap(([id, names]) => [...names].map((name) => ({ id, name })))
    }, [messages, people]),
  )
  const named = useMemo(() => {
    const byId = new Map<string, string[]>()
    for (const { id, name } of called) byId.set(id, [...(byId.get(id) ?? []), name])
    return byId
  }, [called])
  const marks = useNameMarks(called)
  const value = useMemo(() => ({ people, marks, refresh }), [people, marks, refresh])
  return (
    <RoomPeopleContext value={value}>
      <PeopleContext value={named}>
        <NameMarksContext value={marks}>{children}</NameMarksContext>
      </PeopleContext>
    </RoomPeopleContext>
  )
}

/** The list of before while the new one says the same: what is drawn from it stays as it is. */
function useSame(next: readonly RoomPerson[]): readonly RoomPerson[] {
  const kept = useRef(next)
  const before = kept.current
  const isSame =
    before.length === next.length &&
    next.every(({ id, name }, index) => before[index]?.id === id && before[index].name === name)
  if (!isSame) kept.current = next
  return kept.current
}

const noMarks: ReadonlyMap<string, string> = new Map()

/** The table of letters that look alike is large, and comes after the page. */
function useNameMarks(called: readonly RoomPerson[]): ReadonlyMap<string, string> {
  const [marks, setMarks] = useState(noMarks)
  useEffect(() => {
    if (called.length < 2) return setMarks(noMarks)
    let isWanted = true
    import("#lib/chat/name-marks.ts").then(
      ({ nameMarks }) => isWanted && setMarks(nameMarks(called)),
      (error) => logError(error, { stage: "chat" }),
    )
    return () => {
      isWanted = false
    }
  }, [called])
  return marks
}

/** What to call somebody in a sentence: by their name, with their mark where it could be mistaken for somebody else's. */
export function useMarkedName(): (id: string | undefined, name: string) => string {
  const { marks } = useRoomPeople()
  return (id = "", name) => (marks.has(id) ? `${isolated(name)} #${marks.get(id)}` : isolated(name))
}

/** Beside a name that could be mistaken for somebody else's: a few characters that are this person's alone. */
export function NameMark({ id }: { id: string }) {
  const t = useTranslations("mentions")
  const mark = useRoomPeople().marks.get(id)
  if (mark === undefined) return null
  return (
    <span title={t("mark")} className="shrink-0 font-mono font-normal text-[0.85em] text-muted">
      #{mark}
    </span>
  )
}

/** Beside the name that a message was sent under: what its sender is called by now, where that is another one. */
export function PresentName({ id, name }: { id: string; name: string }) {
  const t = useTranslations("messages")
  const present = useContext(PeopleContext).get(id)?.at(-1)
  if (present === undefined || present === name) return null
  return (
    <span data-testid="present-name" className="truncate text-muted">
      {t("presentName", { name: isolated(present) })}
    </span>
  )
}
