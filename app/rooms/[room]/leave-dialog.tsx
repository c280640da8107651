"use client"
import { useTranslations } from "next-intl"
import { useEffect, useState } from "react"
import type { Room } from "#lib/chat/rooms.ts"
import { useMe } from "../../_components/chat-provider.tsx"
import { type DialogState, FarewellDialog } from "../../_components/farewell-dialog.tsx"
import { useRoomName } from "../../_components/use-room-name.ts"
import { leaveRoom, letEverybodyIn } from "../../actions.ts"
import { useKeptOut } from "./use-kept-out.ts"

/**
 * Asks before one leaves, and says what that means: out of a private room there is no way back by oneself, and whom a public one keeps out
 * nobody else can let in.
 */
export function LeaveDialog({ room, ...state }: DialogState & { room: Room }) {
  const t = useTranslations("rooms")
  const nameOf = useRoomName()
  const me = useMe()
  const isOwner = room.ownerId === me.id
  const keptOut = useKeptOut(room, state.isOpen && isOwner)
  const people = isOwner ? keptOut.people : []
  const [isLettingIn, setIsLettingIn] = useState(false)
  useEffect(() => {
    if (state.isOpen) setIsLettingIn(false)
  }, [state.isOpen])

  async function leave() {
    const answer = isLettingIn ? await letEverybodyIn(me.id, room.id) : true
    return typeof answer === "boolean" ? leaveRoom(me.id, room.id) : answer
  }

  return (
    <FarewellDialog
      {...state}
      title={t("leaveTitle", { room: nameOf(room) })}
      lead={t(room.isPrivate ? "leavePrivate" : "leavePublic")}
      stay={t("cancel")}
      leave={t("leave")}
      isReady={people !== "asking"}
      action={leave}
    >
      {people !== "asking" && people?.length !== 0 && (
        <div className="grid gap-1 text-sm">
          <p role="status" className="text-pretty">
            {people ? t("leaveKeptOut", { count: people.length }) : t("leaveKeptOutUnknown")}
          </p>
          <label className="flex min-h-10 items-center gap-3">
            <input
              type="checkbox"
              checked={isLettingIn}
              onChange={({ currentTarget }) => setIsLettingIn(currentTarget.checked)}
              className="size-5 shrink-0 accent-(--accent)"
            />
            {t("leaveLetIn")}
          </label>
        </div>
      )}
    </FarewellDialog>
  )
}
