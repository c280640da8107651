"use client"
import { useRouter } from "next/navigation"
import { useTranslations } from "next-intl"
import type { Room } from "#lib/chat/rooms.ts"
import { useMe } from "../../_components/chat-provider.tsx"
import { type DialogState, FarewellDialog } from "../../_components/farewell-dialog.tsx"
import { toast } from "../../_components/toast.tsx"
import { useRoomName } from "../../_components/use-room-name.ts"
import { deleteRoom } from "../../actions.ts"

/** Asks before a room is gone for everybody, with all that was said in it. */
export function DeleteRoomDialog({ room, ...state }: DialogState & { room: Room }) {
  const t = useTranslations("rooms")
  const errors = useTranslations("errors")
  const nameOf = useRoomName()
  const router = useRouter()
  const me = useMe()
  async function remove() {
    const refusal = await deleteRoom(me.id, room.id)
    // The dialog says why it was refused.
    if (refusal) return refusal
    // Where it was deleted, the page is another one by now.
    state.onOpenChange(false)
    toast(errors("channel-denied"))
    router.refresh()
    return null
  }
  return (
    <FarewellDialog
      {...state}
      title={t("deleteTitle", { room: nameOf(room) })}
      lead={t("deleteLead")}
      stay={t("cancel")}
      leave={t("delete")}
      action={remove}
    />
  )
}
