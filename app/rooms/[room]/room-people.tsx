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
      const found = new Map<string, string>()
      for (const { user } of present ?? []) if (user.name) found.set(user.id, user.name)
      for (const { id, name } of members) if (!found.has(id)) found.set(id, name)
      return found
    }, [present, members]),
  )
  const named = useSame(
    useMemo(() => {
      const found = new Map<string, string>()
      for (const { from } of messages) if (from?.name) found.set(from.id, from.name)
      for (const [id, name] of people) found.set(id, name)
      return found
    }, [messages, people]),
  )
  const marks = useNameMarks(named)
  const value = useMemo(
    () => ({ people: [...people].map(([id, name]) => ({ id, name })), marks, refresh }),
    [people, marks, refresh],
  )
  return (
    <RoomPeopleContext value={value}>
      <PeopleContext value={named}>
        <NameMarksContext value={marks}>{children}</NameMarksContext>
      </PeopleContext>
    </RoomPeopleContext>
  )
}

/** The map of before while the new one says the same: what is drawn from it stays as it is. */
function useSame(next: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const kept = useRef(next)
  const before = [...kept.current]
  const after = [...next]
  const isSame =
    before.length === after.length &&
    after.every(([id, name], index) => before[index]?.[0] === id && before[index][1] === name)
  if (!isSame) kept.current = next
  return kept.current
}

const noMarks: ReadonlyMap<string, string> = new Map()

/** The table of letters that look alike is large, and comes after the page. */
function useNameMarks(named: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const [marks, setMarks] = useState(noMarks)
  useEffect(() => {
    if (named.size < 2) return setMarks(noMarks)
    let isWanted = true
    import("#lib/chat/name-marks.ts").then(
      ({ nameMarks }) => {
        const people = [...named].map(([id, name]) => ({ id, name }))
        if (isWanted) setMarks(nameMarks(people))
      },
      (error) => logError(error, { stage: "chat" }),
    )
    return () => {
      isWanted = false
    }
  }, [named])
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
