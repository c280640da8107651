"use client"
import { Hash, UserRoundX } from "lucide-react"
import { useTranslations } from "next-intl"
import type { Room } from "#lib/chat/rooms.ts"
import { Button } from "../../_components/button.tsx"
import { useMe } from "../../_components/chat-provider.tsx"
import { NoticeInShell } from "../../_components/notice-in-shell.tsx"
import { ActionForm } from "../../_components/server-action.tsx"
import { useRoomName } from "../../_components/use-room-name.ts"
import { joinRoom } from "../../actions.ts"
import { KeptWriting } from "./kept-writing.tsx"

/** A public room for whoever isn't in it: the way in, unless its owner has put them out. */
export function JoinPrompt({ room, isKeptOut }: { room: Room; isKeptOut: boolean }) {
  const t = useTranslations("rooms")
  const me = useMe()
  const nameOf = useRoomName()
  if (isKeptOut)
    return (
      <NoticeInShell
        icon={UserRoundX}
        title={t("keptOutTitle", { room: nameOf(room) })}
        lead={t("keptOutLead")}
      >
        <KeptWriting />
      </NoticeInShell>
    )
  return (
    <NoticeInShell icon={Hash} title={nameOf(room)} lead={t("joinLead")}>
      <ActionForm owner={me.id} action={joinRoom} className="grid justify-items-center gap-4">
        <input type="hidden" name="room" value={room.id} />
        <Button type="submit" look="primary">
          {t("join")}
        </Button>
      </ActionForm>
      <KeptWriting />
    </NoticeInShell>
  )
}
