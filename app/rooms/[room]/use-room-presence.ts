"use client"
import { useEffect, useReducer } from "react"
import type { ChannelRef } from "throughline"
import { usePresence } from "throughline/react"
import type { RoomDefinition } from "#lib/chat/channels.ts"
import { useIdle } from "./use-idle.ts"

/**
 * Who is in a room, oneself included: `active` while any of one's tabs and devices is. What others see is what was said last, so
 * that a tab in use repeats itself when one that was left alone says that nobody is there.
 */
export function useRoomPresence(ref: ChannelRef<RoomDefinition>, myId: string) {
  const status: "active" | "away" = useIdle() ? "away" : "active"
  const [repetition, repeat] = useReducer((times: number) => times + 1, 0)
  const shown = usePresence(ref, { status }, { repetition })
  const mine = shown?.members?.find(({ user }) => user.id === myId)?.data.status
  const isContradicted = status === "active" && mine === "away"
  useEffect(() => {
    if (isContradicted) repeat()
  }, [isContradicted])
  return shown
}
