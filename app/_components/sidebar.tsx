"use client"
import { clsx } from "clsx"
import { Hash, Lock } from "lucide-react"
import Link from "next/link"
import { usePathname } from "next/navigation"
import { useTranslations } from "next-intl"
import { lobbyId } from "#lib/chat/lobby.ts"
import { CreateRoomDialog } from "./create-room-dialog.tsx"
import { Logo } from "./logo.tsx"
import { SettingsMenu } from "./settings-menu.tsx"
import type { ListedRoom } from "./shell.tsx"
import { useRoomCounts } from "./use-room-counts.ts"

/** What a room is called: its own name, and the lobby's in the reader's language. */
export function useRoomName() {
  const t = useTranslations("rooms")
  return ({ id, name }: { id: string; name: string }) => (id === lobbyId ? t("lobby") : name)
}

interface RoomListProps {
  title: string
  rooms: ListedRoom[]
  /** How many people are in a room now, where that is known. */
  counts: ReadonlyMap<string, number>
}

function RoomList({ title, rooms, counts }: RoomListProps) {
  const t = useTranslations("rooms")
  const path = usePathname()
  const nameOf = useRoomName()
  const headingId = `rooms-${rooms[0]?.isMember ? "yours" : "public"}`
  return (
    <section aria-labelledby={headingId}>
      <h2 id={headingId} className="px-3 pb-1 font-medium text-muted text-xs">
        {title}
      </h2>
      <ul className="grid gap-0.5">
        {rooms.map((room) => {
          const href = `/rooms/${room.id}`
          const isCurrent = path === href
          const Icon = room.isPrivate ? Lock : Hash
          return (
            <li key={room.id}>
              <Link
                href={href}
                aria-current={isCurrent ? "page" : undefined}
                className={clsx(
                  "flex min-h-10 items-center gap-2.5 rounded-xl px-3 text-sm",
                  isCurrent
                    ? "bg-accent-soft font-semibold text-text"
                    : "text-muted hover:bg-raised hover:text-text",
                )}
              >
                <Icon size={16} aria-hidden="true" className={clsx("shrink-0", isCurrent && "text-accent")} />
                <span className="truncate">{nameOf(room)}</span>
                {room.isPrivate && <span className="sr-only">({t("private")})</span>}
                <PeopleCount count={counts.get(room.id)} />
              </Link>
            </li>
          )
        })}
      </ul>
    </section>
  )
}

function PeopleCount({ count }: { count: number | undefined }) {
  const t = useTranslations("rooms")
  if (!count) return null
  return (
    <span
      className="ml-auto shrink-0 font-normal text-muted text-xs tabular-nums"
      title={t("members", { count })}
    >
      <span aria-hidden="true">{count}</span>
      <span className="sr-only">{t("members", { count })}</span>
    </span>
  )
}

export function Sidebar({ rooms }: { rooms: ListedRoom[] }) {
  const t = useTranslations()
  const yours = rooms.filter(({ isMember }) => isMember)
  const others = rooms.filter(({ isMember }) => !isMember)
  const counts = useRoomCounts(yours.map(({ id }) => id))
  return (
    <div className="flex h-full flex-col">
      <div className="flex min-h-16 items-center gap-2.5 px-4">
        <Logo />
        <span className="font-semibold tracking-tight">{t("app.name")}</span>
      </div>
      <div className="grid flex-1 content-start gap-5 overflow-y-auto px-2 py-2">
        {yours.length > 0 && <RoomList title={t("rooms.yours")} rooms={yours} counts={counts} />}
        {others.length > 0 && <RoomList title={t("rooms.public")} rooms={others} counts={counts} />}
        <CreateRoomDialog />
      </div>
      <div className="border-line border-t p-2 pb-[calc(0.5rem+env(safe-area-inset-bottom))]">
        <SettingsMenu />
      </div>
    </div>
  )
}
