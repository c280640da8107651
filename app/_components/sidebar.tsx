"use client"
import { Search } from "lucide-react"
import { useTranslations } from "next-intl"
import { type KeyboardEvent, useId, useRef, useState } from "react"
import type { ListedRoom } from "#lib/chat/rooms.ts"
import { CreateRoomDialog } from "./create-room-dialog.tsx"
import { isComposing } from "./is-composing.ts"
import { Logo } from "./logo.tsx"
import { useCurrentRoom, useRoomActivity } from "./room-activity.tsx"
import { RoomLink } from "./room-link.tsx"
import { SettingsMenu } from "./settings-menu.tsx"
import { useRoomName } from "./use-room-name.ts"
import { useRoomOrder } from "./use-room-order.ts"

export interface SidebarProps {
  rooms: readonly ListedRoom[]
  /** How many people are in a room now, where that is known. */
  counts: ReadonlyMap<string, number>
  onOpen(room: ListedRoom): void
}

/** So many rooms are seen at a glance; of more, one is looked for by its name. */
const fewRooms = 8

/** What is left of a name for looking it up: neither case nor width matters. */
const plain = (text: string) => text.normalize("NFKC").toLowerCase().trim()

/** All rooms that one may know of, one's own first. */
export function Sidebar({ rooms: all, counts, onOpen }: SidebarProps) {
  const t = useTranslations()
  const nameOf = useRoomName()
  const list = useRef<HTMLDivElement>(null)
  const [wanted, setWanted] = useState("")
  const rooms = wanted === "" ? all : all.filter((room) => plain(nameOf(room)).includes(plain(wanted)))
  const { order, hold } = useRoomOrder(all.filter(({ isMember }) => isMember).map(({ id }) => id))
  const yours = order.flatMap((id) => rooms.find((room) => room.id === id) ?? [])
  const others = rooms.filter(({ isMember }) => !isMember)
  const context = {
    counts,
    onOpen(room: ListedRoom) {
      setWanted("")
      onOpen(room)
    },
  }
  return (
    <div className="flex h-full flex-col">
      <div className="flex min-h-16 items-center gap-2.5 px-4">
        <Logo />
        <span className="font-semibold tracking-tight">{t("app.name")}</span>
      </div>
      {(all.length > fewRooms || wanted !== "") && (
        <RoomFilter
          value={wanted}
          onChange={setWanted}
          onEnter={() => list.current?.querySelector("a")?.click()}
        />
      )}
      <div ref={list} {...hold} className="grid flex-1 content-start gap-5 overflow-y-auto px-2 py-2">
        {yours.length > 0 && <RoomList title={t("rooms.yours")} rooms={yours} {...context} />}
        {wanted !== "" && (
          <p role="status" className={rooms.length > 0 ? "sr-only" : "px-3 py-2 text-muted text-sm"}>
            {t("rooms.found", { count: rooms.length })}
          </p>
        )}
        {others.length > 0 && <RoomList title={t("rooms.public")} rooms={others} {...context} />}
      </div>
      <div className="border-line border-t p-2 pb-[calc(0.5rem+env(safe-area-inset-bottom))]">
        <CreateRoomDialog />
        <SettingsMenu />
      </div>
    </div>
  )
}

interface RoomFilterProps {
  value: string
  onChange(value: string): void
  /** Goes to the first one that is left. */
  onEnter(): void
}

function RoomFilter({ value, onChange, onEnter }: RoomFilterProps) {
  const t = useTranslations("rooms")
  function onKeyDown(event: KeyboardEvent): void {
    if (isComposing(event)) return
    if (event.key === "Enter" && value !== "") onEnter()
    else if (event.key === "Escape" && value !== "") onChange("")
    else return
    event.preventDefault()
    // The drawer's Esc, too, is for when nothing is written.
    event.stopPropagation()
  }
  return (
    <label className="mx-2 mb-1 flex items-center gap-2 rounded-xl border border-line bg-background px-3 text-muted focus-within:border-accent">
      <Search size={16} aria-hidden="true" className="shrink-0" />
      <input
        type="text"
        inputMode="search"
        enterKeyHint="go"
        autoComplete="off"
        value={value}
        aria-label={t("filter")}
        placeholder={t("filter")}
        onChange={(event) => onChange(event.currentTarget.value)}
        onKeyDown={onKeyDown}
        className="min-h-10 min-w-0 flex-1 bg-transparent text-base text-text outline-none placeholder:text-muted md:text-sm"
      />
    </label>
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
      <ul className="grid gap-0.5">
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
