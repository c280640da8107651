"use client"
import { useTranslations } from "next-intl"
import { useId } from "react"
import { CreateRoomDialog } from "./create-room-dialog.tsx"
import { Logo } from "./logo.tsx"
import { useCurrentRoom, useRoomActivity } from "./room-activity.tsx"
import { RoomLink } from "./room-link.tsx"
import { SettingsMenu } from "./settings-menu.tsx"
import type { ListedRoom } from "./shell.tsx"
import { useRoomName } from "./use-room-name.ts"
import { useRoomOrder } from "./use-room-order.ts"

export interface SidebarProps {
  rooms: readonly ListedRoom[]
  /** How many people are in a room now, where that is known. */
  counts: ReadonlyMap<string, number>
  onOpen(room: ListedRoom): void
}

/** All rooms that one may know of, one's own first. */
export function Sidebar({ rooms, ...context }: SidebarProps) {
  const t = useTranslations()
  const { order, hold } = useRoomOrder(rooms.filter(({ isMember }) => isMember).map(({ id }) => id))
  const yours = order.flatMap((id) => rooms.find((room) => room.id === id) ?? [])
  const others = rooms.filter(({ isMember }) => !isMember)
  return (
    <div className="flex h-full flex-col">
      <div className="flex min-h-16 items-center gap-2.5 px-4">
        <Logo />
        <span className="font-semibold tracking-tight">{t("app.name")}</span>
      </div>
      <div {...hold} className="grid flex-1 grid-cols-1 content-start gap-5 overflow-y-auto px-2 py-2">
        {yours.length > 0 && <RoomList title={t("rooms.yours")} rooms={yours} {...context} />}
        {others.length > 0 && <RoomList title={t("rooms.public")} rooms={others} {...context} />}
        <CreateRoomDialog />
      </div>
      <div className="border-line border-t p-2 pb-[calc(0.5rem+env(safe-area-inset-bottom))]">
        <SettingsMenu />
      </div>
    </div>
  )
}

function RoomList({ title, rooms, counts, onOpen }: { title: string } & SidebarProps) {
  // The list may be there twice, beside the room and behind the button.
  const id = useId()
  const activity = useRoomActivity()
  const current = useCurrentRoom()
  const nameOf = useRoomName()
  return (
    <section aria-labelledby={id}>
      <h2 id={id} className="px-3 pb-1 font-medium text-muted text-xs">
        {title}
      </h2>
      <ul className="grid grid-cols-1 gap-0.5">
        {rooms.map((room) => (
          <li key={room.id}>
            <RoomLink
              room={room}
              name={nameOf(room)}
              isCurrent={room.id === current}
              activity={room.isMember ? activity.get(room.id) : undefined}
              people={counts.get(room.id)}
              onOpen={() => onOpen(room)}
            />
          </li>
        ))}
      </ul>
    </section>
  )
}
