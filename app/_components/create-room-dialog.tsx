"use client"
import { Dialog } from "@base-ui/react/dialog"
import { Plus } from "lucide-react"
import { useTranslations } from "next-intl"
import { createRoom } from "../actions.ts"
import { Button, buttonClass } from "./button.tsx"
import { useMe } from "./chat-provider.tsx"
import { Modal } from "./modal.tsx"
import { RoomNameField } from "./room-name-field.tsx"
import { OwnerField, useServerAction } from "./server-action.tsx"

export function CreateRoomDialog() {
  const t = useTranslations("rooms")
  return (
    <Dialog.Root>
      <Dialog.Trigger className={buttonClass("quiet", "w-full justify-start px-3")}>
        <Plus size={16} aria-hidden="true" />
        {t("create")}
      </Dialog.Trigger>
      <Modal title={t("createTitle")} lead={t("createLead")}>
        <CreateRoomForm />
      </Modal>
    </Dialog.Root>
  )
}

function CreateRoomForm() {
  const t = useTranslations("rooms")
  const me = useMe()
  const [state, action, isPending, sent] = useServerAction(createRoom)
  return (
    <form action={action} className="grid gap-4">
      <OwnerField id={me.id} />
      <RoomNameField refusal={state} value={sent ? String(sent.get("name")) : undefined} />
      <label className="flex min-h-10 items-center gap-3 text-sm">
        <input
          type="checkbox"
          name="isPrivate"
          defaultChecked={sent?.has("isPrivate")}
          className="size-5 accent-(--accent)"
        />
        {t("isPrivate")}
      </label>
      <div className="flex justify-end gap-2">
        <Dialog.Close className={buttonClass("quiet")}>{t("cancel")}</Dialog.Close>
        <Button type="submit" look="primary" disabled={isPending}>
          {isPending ? t("submitting") : t("submit")}
        </Button>
      </div>
    </form>
  )
}
