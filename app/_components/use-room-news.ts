"use client"
import { useRouter } from "next/navigation"
import { useTranslations } from "next-intl"
import { useEffect, useRef } from "react"
import type { ListedRoom } from "#lib/chat/rooms.ts"
import { useActivityStore } from "./room-activity.tsx"
import { toast } from "./toast.tsx"
import { useRoomName } from "./use-room-name.ts"

/** Which rooms there are, and what they are called, stands on the server: it is asked for once that is another list than the page's. */
export function useRoomNews(rooms: readonly ListedRoom[]): void {
  const t = useTranslations("rooms")
  const nameOf = useRoomName()
  const store = useActivityStore()
  const router = useRouter()
  /** The list may be without a room before the room tells why. */
  const known = useRef(new Map<string, ListedRoom>())
  useEffect(() => {
    for (const room of rooms) known.current.set(room.id, room)
  }, [rooms])
  useEffect(
    () =>
      store.onMessages((id, messages) => {
        const room = known.current.get(id)
        if (room && messages.some(({ event }) => event === "room-deleted"))
          toast(t("deleted", { room: nameOf(room) }))
      }),
    [store, t, nameOf],
  )
  useEffect(() => store.onListChanged(() => router.refresh()), [store, router])
}
