"use client"
import { Hash } from "lucide-react"
import { useTranslations } from "next-intl"
import type { Room } from "#lib/chat/rooms.ts"
import { Button } from "../../_components/button.tsx"
import { useMe } from "../../_components/chat-provider.tsx"
import { NoticeInShell } from "../../_components/notice-in-shell.tsx"
import { ActionForm } from "../../_components/server-action.tsx"
import { useRoomName } from "../../_components/use-room-name.ts"
import { joinRoom } from "../../actions.ts"
import { KeptDraft } from "./kept-draft.tsx"

export function JoinPrompt({ room }: { room: Room }) {
  const t = useTranslations("rooms")
  const me = useMe()
  const nameOf = useRoomName()
  return (
    <NoticeInShell icon={Hash} title={nameOf(room)} lead={t("joinLead")}>
      <ActionForm owner={me.id} action={joinRoom} className="grid justify-items-center gap-4">
        <input type="hidden" name="room" value={room.id} />
        <Button type="submit" look="primary">
          {t("join")}
        </Button>
      </ActionForm>
      <KeptDraft />
    </NoticeInShell>
  )
}
