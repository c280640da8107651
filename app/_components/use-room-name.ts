"use client"
import { useTranslations } from "next-intl"
import { lobbyId } from "#lib/chat/lobby.ts"
import { isolated } from "#lib/i18n/isolated.ts"

/** What a room is called, wherever that stands: its own name, and the lobby's in the reader's language. */
export function useRoomName() {
  const t = useTranslations("rooms")
  return ({ id, name }: { id: string; name: string }) => (id === lobbyId ? t("lobby") : isolated(name))
}
