"use client"
import { Dialog } from "@base-ui/react/dialog"
import { Menu } from "@base-ui/react/menu"
import { Ellipsis, Link2, Lock, LogOut } from "lucide-react"
import { useTranslations } from "next-intl"
import { useState } from "react"
import type { RoomDefinition } from "#lib/chat/channels.ts"
import type { Room } from "#lib/chat/rooms.ts"
import type { PresenceState } from "#realtime/client"
import { buttonClass, iconButtonClass } from "../../_components/button.tsx"
import { MenuPopup, menuItemClass } from "../../_components/menu.tsx"
import { Modal } from "../../_components/modal.tsx"
import { OpenSidebarButton } from "../../_components/shell.tsx"
import { useRoomName } from "../../_components/sidebar.tsx"
import { inviteToRoom, leaveRoom } from "../../actions.ts"
import { ConnectionBadge } from "./connection-badge.tsx"
import { PresenceBar } from "./presence-bar.tsx"

export function RoomHeader({
  room,
  presence,
}: {
  room: Room
  presence: PresenceState<RoomDefinition> | null
}) {
  const t = useTranslations("rooms")
  const nameOf = useRoomName()
  return (
    <header className="flex min-h-16 items-center gap-2 border-line border-b bg-surface/80 px-2 backdrop-blur md:px-5">
      <OpenSidebarButton />
      <div className="min-w-0 flex-1">
        <h1 className="flex items-center gap-2 font-semibold tracking-tight">
          {room.isPrivate && <Lock size={16} aria-label={t("private")} className="shrink-0 text-muted" />}
          <span className="truncate">{nameOf(room)}</span>
        </h1>
        <ConnectionBadge />
      </div>
      <PresenceBar presence={presence} />
      <RoomMenu room={room} />
    </header>
  )
}

function RoomMenu({ room }: { room: Room }) {
  const t = useTranslations("rooms")
  const [link, setLink] = useState<string | null>(null)
  const invite = async () => {
    const path = await inviteToRoom(room.id)
    if (path) setLink(new URL(path, window.location.href).href)
  }
  const leave = () => {
    const form = new FormData()
    form.set("room", room.id)
    return leaveRoom(form)
  }
  return (
    <>
      <Menu.Root>
        <Menu.Trigger aria-label={t("menu")} className={iconButtonClass()}>
          <Ellipsis size={20} aria-hidden="true" />
        </Menu.Trigger>
        <MenuPopup>
          <Menu.Item className={menuItemClass} onClick={invite}>
            <Link2 size={16} aria-hidden="true" />
            {t("invite")}
          </Menu.Item>
          <Menu.Item className={menuItemClass} onClick={leave}>
            <LogOut size={16} aria-hidden="true" />
            {t("leave")}
          </Menu.Item>
        </MenuPopup>
      </Menu.Root>
      <Dialog.Root open={link !== null} onOpenChange={() => setLink(null)}>
        <Modal title={t("inviteTitle")} lead={t("inviteLead")}>
          {link && <InvitationLink link={link} />}
        </Modal>
      </Dialog.Root>
    </>
  )
}

function InvitationLink({ link }: { link: string }) {
  const t = useTranslations("rooms")
  const [isCopied, setIsCopied] = useState(false)
  const copy = () =>
    navigator.clipboard.writeText(link).then(
      () => setIsCopied(true),
      // Without permission the field stays selected, for the keyboard's own copy.
      () => document.querySelector<HTMLInputElement>("#invitation-link")?.select(),
    )
  return (
    <div className="grid gap-3">
      <input
        id="invitation-link"
        readOnly
        value={link}
        aria-label={t("inviteTitle")}
        onFocus={(event) => event.currentTarget.select()}
        className="min-h-11 w-full rounded-xl border border-line bg-background px-3.5 text-sm"
      />
      <p role="status" className="min-h-5 text-good text-sm">
        {isCopied ? t("copied") : ""}
      </p>
      <div className="flex justify-end gap-2">
        <Dialog.Close className={buttonClass("quiet")}>{t("done")}</Dialog.Close>
        <button type="button" onClick={copy} className={buttonClass("primary")}>
          {t("copy")}
        </button>
      </div>
    </div>
  )
}
