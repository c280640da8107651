"use client"
import { Dialog } from "@base-ui/react/dialog"
import { Menu as MenuIcon, X } from "lucide-react"
import { usePathname } from "next/navigation"
import { useTranslations } from "next-intl"
import { createContext, type ReactNode, useContext, useEffect, useState } from "react"
import type { Room } from "#lib/chat/rooms.ts"
import { IconButton } from "./button.tsx"
import { Sidebar } from "./sidebar.tsx"

export type ListedRoom = Room & { isMember: boolean }

const OpenContext = createContext<() => void>(() => {})

/** The button that opens the list of rooms where there is no room for it beside the messages. */
export function OpenSidebarButton() {
  const t = useTranslations("rooms")
  const open = useContext(OpenContext)
  return (
    <IconButton label={t("open")} onClick={open} className="md:hidden">
      <MenuIcon size={20} />
    </IconButton>
  )
}

export function Shell({ rooms, children }: { rooms: ListedRoom[]; children: ReactNode }) {
  const t = useTranslations("rooms")
  const [isOpen, setIsOpen] = useState(false)
  const path = usePathname()
  // Following a link closes the drawer.
  useEffect(() => setIsOpen(false), [path])

  return (
    <div className="flex h-dvh overflow-hidden pt-[env(safe-area-inset-top)] pr-[env(safe-area-inset-right)] pl-[env(safe-area-inset-left)]">
      <nav aria-label={t("title")} className="hidden w-72 shrink-0 border-line border-r bg-surface md:block">
        <Sidebar rooms={rooms} />
      </nav>
      <Dialog.Root open={isOpen} onOpenChange={setIsOpen}>
        <Dialog.Portal>
          <Dialog.Backdrop className="fixed inset-0 z-20 bg-black/40 transition-opacity data-ending-style:opacity-0 data-starting-style:opacity-0" />
          <Dialog.Popup className="fixed inset-y-0 left-0 z-30 w-[min(20rem,88vw)] bg-surface shadow-(--shadow) transition-transform data-ending-style:-translate-x-full data-starting-style:-translate-x-full">
            <Dialog.Title className="sr-only">{t("title")}</Dialog.Title>
            <Dialog.Close
              aria-label={t("close")}
              className="absolute top-3 right-3 grid size-10 place-items-center rounded-xl text-muted hover:bg-raised"
            >
              <X size={20} aria-hidden="true" />
            </Dialog.Close>
            <Sidebar rooms={rooms} />
          </Dialog.Popup>
        </Dialog.Portal>
      </Dialog.Root>
      <OpenContext value={() => setIsOpen(true)}>
        <div className="flex min-w-0 flex-1 flex-col">{children}</div>
      </OpenContext>
    </div>
  )
}
