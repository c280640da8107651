"use client"
import { Dialog } from "@base-ui/react/dialog"
import { Menu } from "@base-ui/react/menu"
import { clsx } from "clsx"
import { Crown, Ellipsis, Link2, Link2Off, Lock, LogOut, PencilLine, Trash2, UserRoundX } from "lucide-react"
import { useTranslations } from "next-intl"
import { useState } from "react"
import type { PresenceState } from "throughline/client"
import type { RoomDefinition } from "#lib/chat/channels.ts"
import { invitationDays } from "#lib/chat/invitation.ts"
import type { Room } from "#lib/chat/rooms.ts"
import { buttonClass, iconButtonClass } from "../../_components/button.tsx"
import { useMe } from "../../_components/chat-provider.tsx"
import { LinkToShare } from "../../_components/link-to-share.tsx"
import { MenuPopup, menuItemClass } from "../../_components/menu.tsx"
import { Modal } from "../../_components/modal.tsx"
import { answerOr, type Unreached, useRefusalText } from "../../_components/server-action.tsx"
import { OpenSidebarButton } from "../../_components/shell.tsx"
import { useRoomName } from "../../_components/use-room-name.ts"
import { inviteToRoom } from "../../actions.ts"
import { ConnectionBadge } from "./connection-badge.tsx"
import { DeleteRoomDialog } from "./delete-room-dialog.tsx"
import { LeaveDialog } from "./leave-dialog.tsx"
import { PresenceBar } from "./presence-bar.tsx"
import { RemoveDialog } from "./remove-dialog.tsx"
import { RenameDialog } from "./rename-dialog.tsx"
import { useMarkedName } from "./room-people.tsx"
import { SearchDialog } from "./search-dialog.tsx"
import { WithdrawDialog } from "./withdraw-dialog.tsx"

interface RoomHeaderProps {
  room: Room
  presence: PresenceState<RoomDefinition> | null
}

export function RoomHeader({ room, presence }: RoomHeaderProps) {
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
        <ConnectionBadge room={room.id} />
      </div>
      <PresenceBar presence={presence} />
      <SearchDialog room={room} />
      <RoomMenu room={room} presence={presence} />
    </header>
  )
}

/** What one can do with the room, and whose it is. */
function RoomMenu({ room, presence }: RoomHeaderProps) {
  const t = useTranslations("rooms")
  const me = useMe()
  const refusalText = useRefusalText()
  const [invited, setInvited] = useState<Awaited<ReturnType<typeof inviteToRoom>> | Unreached>()
  const link = invited && "path" in invited ? new URL(invited.path, window.location.href).href : null
  const [isWithdrawing, setIsWithdrawing] = useState(false)
  const [isLeaving, setIsLeaving] = useState(false)
  const [isRenaming, setIsRenaming] = useState(false)
  const [isRemoving, setIsRemoving] = useState(false)
  const [isDeleting, setIsDeleting] = useState(false)
  const marked = useMarkedName()
  const owner = presence?.members?.find(({ user }) => user.id === room.ownerId)?.user

  const invite = async () =>
    setInvited(await answerOr(inviteToRoom(me.id, room.id), (unreached) => unreached).catch(() => null))
  const failure = invited && "error" in invited ? refusalText(invited) : t("inviteFailed")

  return (
    <>
      <Menu.Root>
        <Menu.Trigger aria-label={t("menu")} title={t("menu")} className={iconButtonClass()}>
          <Ellipsis size={20} aria-hidden="true" />
        </Menu.Trigger>
        <MenuPopup>
          <Menu.Group>
            {(room.ownerId === me.id || owner?.name) && (
              <Menu.GroupLabel className="flex items-center gap-2.5 px-3 py-2 text-muted text-xs">
                <Crown size={14} aria-hidden="true" className="shrink-0 text-warn" />
                {room.ownerId === me.id
                  ? t("owned")
                  : t("ownedBy", { name: marked(owner?.id, owner?.name ?? "") })}
              </Menu.GroupLabel>
            )}
            <Menu.Item className={menuItemClass} onClick={invite}>
              <Link2 size={16} aria-hidden="true" />
              {t("invite")}
            </Menu.Item>
            {room.ownerId === me.id && (
              <>
                <Menu.Item className={menuItemClass} onClick={() => setIsWithdrawing(true)}>
                  <Link2Off size={16} aria-hidden="true" />
                  {t("withdraw")}
                </Menu.Item>
                <Menu.Item className={menuItemClass} onClick={() => setIsRenaming(true)}>
                  <PencilLine size={16} aria-hidden="true" />
                  {t("rename")}
                </Menu.Item>
                <Menu.Item className={menuItemClass} onClick={() => setIsRemoving(true)}>
                  <UserRoundX size={16} aria-hidden="true" />
                  {t("remove")}
                </Menu.Item>
              </>
            )}
            <Menu.Item className={menuItemClass} onClick={() => setIsLeaving(true)}>
              <LogOut size={16} aria-hidden="true" />
              {t("leave")}
            </Menu.Item>
            {room.ownerId === me.id && (
              <Menu.Item className={clsx(menuItemClass, "text-bad")} onClick={() => setIsDeleting(true)}>
                <Trash2 size={16} aria-hidden="true" />
                {t("delete")}
              </Menu.Item>
            )}
          </Menu.Group>
        </MenuPopup>
      </Menu.Root>
      <WithdrawDialog room={room} isOpen={isWithdrawing} onOpenChange={setIsWithdrawing} />
      <RenameDialog room={room} isOpen={isRenaming} onOpenChange={setIsRenaming} />
      <RemoveDialog room={room} isOpen={isRemoving} onOpenChange={setIsRemoving} />
      <LeaveDialog room={room} isOpen={isLeaving} onOpenChange={setIsLeaving} />
      <DeleteRoomDialog room={room} isOpen={isDeleting} onOpenChange={setIsDeleting} />
      <Dialog.Root open={invited !== undefined} onOpenChange={() => setInvited(undefined)}>
        <Modal title={t("inviteTitle")} lead={link ? t("inviteLead", { days: invitationDays }) : failure}>
          {link ? (
            <LinkToShare link={link} label={t("inviteTitle")} copied={t("copied")} />
          ) : (
            <div className="flex justify-end">
              <Dialog.Close className={buttonClass("quiet")}>{t("done")}</Dialog.Close>
            </div>
          )}
        </Modal>
      </Dialog.Root>
    </>
  )
}
