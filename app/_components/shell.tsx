"use client"
import { Dialog } from "@base-ui/react/dialog"
import { Menu as MenuIcon, X } from "lucide-react"
import { useTranslations } from "next-intl"
import { createContext, type ReactNode, useContext, useEffect, useState } from "react"
import { maxCounted, totalOf } from "#lib/chat/room-activity.ts"
import type { ListedRoom } from "#lib/chat/rooms.ts"
import { IconButton } from "./button.tsx"
import { Notifications } from "./notifications.tsx"
import { useCurrentRoom, useRoomActivity } from "./room-activity.tsx"
import { RoomSkeleton } from "./room-skeleton.tsx"
import { Sidebar } from "./sidebar.tsx"
import { TitleBadge } from "./title-badge.tsx"
import { useRoomCounts } from "./use-room-counts.ts"
import { useRoomName } from "./use-room-name.ts"
import { useRoomNews } from "./use-room-news.ts"

/** Where the link past the list of rooms leads. */
const mainId = "content"

const OpenContext = createContext<() => void>(() => {})

/** The button that opens the list of rooms where there is no room for it beside the messages, and what waits there. */
export function OpenSidebarButton() {
  const t = useTranslations("rooms")
  const open = useContext(OpenContext)
  const { unread, mentions } = totalOf(useRoomActivity())
  const count = Math.min(unread, maxCounted)
  return (
    <IconButton
      label={count > 0 ? t("openUnread", { count }) : t("open")}
      onClick={open}
      className="relative md:hidden"
    >
      <MenuIcon size={20} aria-hidden="true" />
      {count > 0 && (
        <span
          aria-hidden="true"
          // Above the sign, not upon it.
          className={`-top-2 -right-1 absolute grid h-4.5 min-w-4.5 place-items-center rounded-full px-1 font-semibold text-[0.625rem] tabular-nums ring-2 ring-surface ${mentions > 0 ? "bg-accent text-on-accent" : "bg-muted text-background"}`}
        >
          {count > 99 ? "99+" : count}
        </span>
      )}
    </IconButton>
  )
}

/** What stands around every room: the list of rooms, beside it or behind a button, and what is told outside the page. */
export function Shell({ rooms, children }: { rooms: ListedRoom[]; children: ReactNode }) {
  const t = useTranslations("rooms")
  const skip = useTranslations("app")
  const nameOf = useRoomName()
  const [isOpen, setIsOpen] = useState(false)
  const [awaited, setAwaited] = useState<ListedRoom | null>(null)
  const current = useCurrentRoom()
  useRoomNews(rooms)
  const counts = useRoomCounts(rooms.filter(({ isMember }) => isMember).map(({ id }) => id))
  // Following a link closes the drawer, and has arrived once the page is another one.
  useEffect(() => {
    setIsOpen(false)
    setAwaited(null)
  }, [current])

  const sidebar = (
    <Sidebar
      rooms={rooms}
      counts={counts}
      onOpen={(room) => {
        setIsOpen(false)
        setAwaited(room.id === current ? null : room)
      }}
    />
  )
  return (
    <div className="flex h-dvh overflow-hidden pt-[env(safe-area-inset-top)] pr-[env(safe-area-inset-right)] pl-[env(safe-area-inset-left)]">
      <a
        href={`#${mainId}`}
        className="-translate-y-[calc(100%+1rem)] fixed top-2 left-2 z-40 rounded-xl bg-accent px-4 py-2.5 font-semibold text-on-accent focus-visible:translate-y-0"
      >
        {skip("skip")}
      </a>
      <TitleBadge />
      <Notifications rooms={rooms} />
      <nav aria-label={t("title")} className="hidden w-72 shrink-0 border-line border-r bg-surface md:block">
        {sidebar}
      </nav>
      <Dialog.Root open={isOpen} onOpenChange={setIsOpen}>
        <Dialog.Portal>
          <Dialog.Backdrop className="fixed inset-0 z-20 bg-black/40 transition-opacity data-ending-style:opacity-0 data-starting-style:opacity-0" />
          <Dialog.Popup className="fixed inset-y-0 left-0 z-30 w-[min(20rem,88vw)] bg-surface pt-[env(safe-area-inset-top)] pl-[env(safe-area-inset-left)] shadow-(--shadow) transition-transform data-ending-style:-translate-x-full data-starting-style:-translate-x-full">
            <Dialog.Title className="sr-only">{t("title")}</Dialog.Title>
            <Dialog.Close
              aria-label={t("close")}
              className="absolute top-[calc(0.75rem+env(safe-area-inset-top))] right-3 grid size-10 place-items-center rounded-xl text-muted hover:bg-raised"
            >
              <X size={20} aria-hidden="true" />
            </Dialog.Close>
            <nav aria-label={t("title")} className="h-full">
              {sidebar}
            </nav>
          </Dialog.Popup>
        </Dialog.Portal>
      </Dialog.Root>
      <OpenContext value={() => setIsOpen(true)}>
        <div id={mainId} tabIndex={-1} className="relative flex min-w-0 flex-1 flex-col outline-none">
          {children}
          {awaited && <RoomSkeleton name={nameOf(awaited)} />}
        </div>
      </OpenContext>
    </div>
  )
}
