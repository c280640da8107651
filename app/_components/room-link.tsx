"use client"
import { clsx } from "clsx"
import { AtSign, Hash, Lock, Users } from "lucide-react"
import Link from "next/link"
import { useTranslations } from "next-intl"
import { useMemo } from "react"
import { usePresence } from "throughline/react"
import { room as roomChannel } from "#lib/chat/channels.ts"
import { countOf, type RoomActivity } from "#lib/chat/room-activity.ts"
import type { ListedRoom } from "#lib/chat/rooms.ts"
import { isolated } from "#lib/i18n/isolated.ts"
import { who } from "./who.tsx"

interface RoomLinkProps {
  room: ListedRoom
  name: string
  isCurrent: boolean
  /** Where one is in the room. */
  activity: RoomActivity | undefined
  /** How many people are there now; absent while that isn't known. */
  people: number | undefined
  onOpen(): void
}

/** A room in the list: its name, who is typing or how many are there, and what one hasn't read. */
export function RoomLink({ room, name, isCurrent, activity, people, onOpen }: RoomLinkProps) {
  const t = useTranslations("rooms")
  const { unread, mentions } = activity ? countOf(activity) : { unread: 0, mentions: 0 }
  const Icon = room.isPrivate ? Lock : Hash
  return (
    <Link
      href={`/rooms/${room.id}`}
      aria-current={isCurrent ? "page" : undefined}
      onNavigate={onOpen}
      className={clsx(
        "flex h-11 items-center gap-2.5 rounded-xl px-3 text-sm",
        isCurrent
          ? "bg-accent-soft font-semibold text-text"
          : unread > 0
            ? "font-semibold text-text hover:bg-raised"
            : "text-muted hover:bg-raised hover:text-text",
      )}
    >
      <Icon size={16} aria-hidden="true" className={clsx("shrink-0", isCurrent && "text-accent")} />
      <span className="min-w-0 flex-1">
        <span className="block truncate">{name}</span>
        {/* In the open room a row of its own says it. */}
        {!isCurrent && activity && <TypingPreview typists={activity.typists} />}
      </span>
      {room.isPrivate && <span className="sr-only">({t("private")})</span>}
      {isCurrent && room.isMember ? (
        <PresentCount roomId={room.id} counted={people} />
      ) : (
        <PeopleCount count={people} />
      )}
      {mentions > 0 && <Badge count={mentions} label={t("mentions", { count: mentions })} isUrgent />}
      {unread > mentions && <Badge count={unread} label={t("unread", { count: unread })} />}
    </Link>
  )
}

/** Of the open room everybody is known at once: its header and the list say the same. */
function PresentCount({ roomId, counted }: { roomId: string; counted: number | undefined }) {
  const ref = useMemo(() => roomChannel({ room: roomId }), [roomId])
  return <PeopleCount count={usePresence(ref)?.count ?? counted} />
}

function TypingPreview({ typists }: { typists: RoomActivity["typists"] }) {
  const t = useTranslations()
  const [first] = typists
  if (!first) return null
  const text =
    typists.length === 1
      ? t.rich("typing.one", { name: isolated(first.name), who })
      : who(t("rooms.typingMany", { count: typists.length }))
  return (
    <span
      data-testid="typing-preview"
      className="names-in-line animate-[arrive_0.15s] overflow-hidden font-normal text-accent text-xs"
    >
      {text}
    </span>
  )
}

function PeopleCount({ count }: { count: number | undefined }) {
  const t = useTranslations("rooms")
  if (!count) return null
  return (
    <span
      className="flex shrink-0 items-center gap-1 font-normal text-muted text-xs tabular-nums"
      title={t("members", { count })}
    >
      <Users size={12} aria-hidden="true" />
      <span aria-hidden="true">{count}</span>
      <span className="sr-only">{t("members", { count })}</span>
    </span>
  )
}

/** How many; beyond 99 nobody reads the number. */
export function Badge({
  count,
  label,
  isUrgent = false,
}: {
  count: number
  label: string
  isUrgent?: boolean
}) {
  return (
    <span
      data-testid={isUrgent ? "mentions" : "unread"}
      className={clsx(
        "flex h-5 min-w-5 shrink-0 items-center justify-center rounded-full px-1.5 font-semibold text-[0.6875rem] tabular-nums",
        isUrgent ? "bg-accent text-on-accent" : "bg-muted text-background",
      )}
    >
      {isUrgent && <AtSign size={11} strokeWidth={2.75} aria-hidden="true" />}
      <span aria-hidden="true">{count > 99 ? "99+" : count}</span>
      <span className="sr-only">{label}</span>
    </span>
  )
}
