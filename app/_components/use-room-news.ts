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
  const ended = useRef(new Set<string>())
  useEffect(() => {
    const mine = new Set(rooms.flatMap(({ id, isMember }) => (isMember ? [id] : [])))
    for (const room of known.current.values())
      if (room.isMember && !mine.has(room.id) && !ended.current.has(room.id))
        toast(t("notIn", { room: nameOf(room) }))
    for (const [id, room] of known.current) known.current.set(id, { ...room, isMember: mine.has(id) })
    for (const room of rooms) known.current.set(room.id, room)
  }, [rooms, t, nameOf])
  useEffect(
    () =>
      store.onMessages((id, messages) => {
        const room = known.current.get(id)
        if (!room || !messages.some(({ event }) => event === "room-deleted")) return
        ended.current.add(id)
        toast(t("deleted", { room: nameOf(room) }))
      }),
    [store, t, nameOf],
  )
  useEffect(() => store.onListChanged(() => router.refresh()), [store, router])
}
