"use client"
import { useCallback, useEffect, useState } from "react"
import { logError } from "throughline"
import { askKeptOut } from "#lib/chat/api.ts"
import type { Room } from "#lib/chat/rooms.ts"
import { useMe } from "../../_components/chat-provider.tsx"
import type { RoomPerson } from "./room-people.tsx"

export interface KeptOutState {
  /** "asking": the server hasn't answered yet; null: they couldn't be had. */
  people: readonly RoomPerson[] | "asking" | null
  /** Asks the server for them. */
  ask(): void
}

const nobody: readonly RoomPerson[] = []

/** Who is kept out of a public room, as the server knows them, asked anew each time it is opened; of a private one nobody is. */
export function useKeptOut({ id, isPrivate }: Room, isOpen: boolean): KeptOutState {
  const me = useMe()
  const [people, setPeople] = useState<KeptOutState["people"]>("asking")
  const ask = useCallback(() => {
    if (isPrivate) return
    askKeptOut(me.id, id).then(setPeople, (error: unknown) => {
      setPeople(null)
      logError(error, { stage: "chat" })
    })
  }, [me.id, id, isPrivate])
  useEffect(() => {
    if (!isOpen) return
    setPeople("asking")
    ask()
  }, [isOpen, ask])
  return { people: isPrivate ? nobody : people, ask }
}
