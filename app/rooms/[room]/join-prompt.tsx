"use client"
import { useTranslations } from "next-intl"
import type { Room } from "#lib/chat/rooms.ts"
import { Button } from "../../_components/button.tsx"
import { useMe } from "../../_components/chat-provider.tsx"
import { ActionForm } from "../../_components/server-action.tsx"
import { OpenSidebarButton } from "../../_components/shell.tsx"
import { useRoomName } from "../../_components/use-room-name.ts"
import { joinRoom } from "../../actions.ts"

export function JoinPrompt({ room }: { room: Room }) {
  const t = useTranslations("rooms")
  const me = useMe()
  const nameOf = useRoomName()
  return (
    <main className="flex flex-1 flex-col">
      <div className="p-2">
        <OpenSidebarButton />
      </div>
      <div className="grid flex-1 place-items-center p-6">
        <ActionForm
          owner={me.id}
          action={joinRoom}
          className="grid max-w-sm justify-items-center gap-4 text-center"
        >
          <h1 className="break-words font-semibold text-2xl tracking-tight">{nameOf(room)}</h1>
          <p className="text-muted">{t("joinLead")}</p>
          <input type="hidden" name="room" value={room.id} />
          <Button type="submit" look="primary">
            {t("join")}
          </Button>
        </ActionForm>
      </div>
    </main>
  )
}
