"use client"
import { Dialog } from "@base-ui/react/dialog"
import { useTranslations } from "next-intl"
import { useEffect } from "react"
import type { Room } from "#lib/chat/rooms.ts"
import { Button, buttonClass } from "../../_components/button.tsx"
import { useMe } from "../../_components/chat-provider.tsx"
import type { DialogState } from "../../_components/farewell-dialog.tsx"
import { Modal } from "../../_components/modal.tsx"
import { RoomNameField } from "../../_components/room-name-field.tsx"
import { OwnerField, useServerAction } from "../../_components/server-action.tsx"
import { renameRoom } from "../../actions.ts"

export function RenameDialog({ room, isOpen, onOpenChange }: DialogState & { room: Room }) {
  const t = useTranslations("rooms")
  return (
    <Dialog.Root open={isOpen} onOpenChange={onOpenChange}>
      <Modal title={t("renameTitle")} lead={t("renameLead")}>
        <RenameForm room={room} onDone={() => onOpenChange(false)} />
      </Modal>
    </Dialog.Root>
  )
}

function RenameForm({ room, onDone }: { room: Room; onDone(): void }) {
  const t = useTranslations("rooms")
  const me = useMe()
  const [state, action, isPending, sent] = useServerAction(renameRoom)
  const isDone = state !== null && "isDone" in state
  useEffect(() => {
    if (isDone) onDone()
  }, [isDone, onDone])
  return (
    <form action={action} className="grid gap-4">
      <OwnerField id={me.id} />
      <input type="hidden" name="room" value={room.id} />
      <RoomNameField
        refusal={state && "error" in state ? state : null}
        value={sent ? String(sent.get("name")) : room.name}
      />
      <div className="flex justify-end gap-2">
        <Dialog.Close className={buttonClass("quiet")}>{t("cancel")}</Dialog.Close>
        <Button type="submit" look="primary" disabled={isPending}>
          {t("renameSubmit")}
        </Button>
      </div>
    </form>
  )
}
