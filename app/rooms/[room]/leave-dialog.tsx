"use client"
import { useTranslations } from "next-intl"
import type { Room } from "#lib/chat/rooms.ts"
import { useMe } from "../../_components/chat-provider.tsx"
import { type DialogState, FarewellDialog } from "../../_components/farewell-dialog.tsx"
import { useRoomName } from "../../_components/use-room-name.ts"
import { leaveRoom } from "../../actions.ts"

/** Asks before one leaves, and says what that means: out of a private room there is no way back by oneself. */
export function LeaveDialog({ room, ...state }: DialogState & { room: Room }) {
  const t = useTranslations("rooms")
  const nameOf = useRoomName()
  const me = useMe()
  return (
    <FarewellDialog
      {...state}
      title={t("leaveTitle", { room: nameOf(room) })}
      lead={t(room.isPrivate ? "leavePrivate" : "leavePublic")}
      stay={t("cancel")}
      leave={t("leave")}
      action={() => leaveRoom(me.id, room.id)}
    />
  )
}
