"use client"
import { useTranslations } from "next-intl"
import type { Room } from "#lib/chat/rooms.ts"
import { useMe } from "../../_components/chat-provider.tsx"
import { type DialogState, FarewellDialog } from "../../_components/farewell-dialog.tsx"
import { toast } from "../../_components/toast.tsx"
import { withdrawInvitations } from "../../actions.ts"

/** Asks before links stop working that were given to others. */
export function WithdrawDialog({ room, ...state }: DialogState & { room: Room }) {
  const t = useTranslations("rooms")
  const errors = useTranslations("errors")
  const me = useMe()
  async function withdraw() {
    const answer = await withdrawInvitations(me.id, room.id)
    // The dialog says why it was refused.
    if (typeof answer !== "boolean") return answer
    state.onOpenChange(false)
    toast(answer ? t("withdrawn") : errors("channel-denied"))
    return null
  }
  return (
    <FarewellDialog
      {...state}
      title={t("withdrawTitle")}
      lead={t("withdrawLead")}
      stay={t("cancel")}
      leave={t("withdrawConfirm")}
      action={withdraw}
    />
  )
}
