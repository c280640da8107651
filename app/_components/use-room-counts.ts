"use client"
import { usePathname } from "next/navigation"
import { useEffect, useState } from "react"
import { useRealtimeClient } from "throughline/react"
import { room } from "#lib/chat/channels.ts"

const refreshMs = 60_000
/** Whoever has just gone to another room is counted there by then. */
const firstMs = 2_000
const maxRooms = 100

/**
 * How many people are in each of these rooms, asked again now and then while somebody looks, and whenever they go to
 * another room.
 */
export function useRoomCounts(roomIds: readonly string[]): ReadonlyMap<string, number> {
  const client = useRealtimeClient()
  const [counts, setCounts] = useState<ReadonlyMap<string, number>>(new Map())
  const path = usePathname()
  const asked = roomIds.slice(0, maxRooms).join(" ")

  useEffect(() => {
    const ids = asked === "" ? [] : asked.split(" ")
    let isWanted = true
    let requests = 0
    let answeredLast = 0
    const refresh = async () => {
      if (document.visibilityState === "hidden") return
      requests += 1
      const request = requests
      try {
        const found = await client.counts(ids.map((id) => room({ room: id })))
        // Whoever is hidden and shown again asks while an answer is on its way: of two the later request's stays.
        if (!isWanted || request < answeredLast) return
        answeredLast = request
        setCounts(new Map(ids.flatMap((id, index) => (found[index] == null ? [] : [[id, found[index]]]))))
      } catch {
        // A number beside a name: the last one stays, and the next look may succeed.
      }
    }
    const first = setTimeout(refresh, firstMs)
    const timer = setInterval(refresh, refreshMs)
    document.addEventListener("visibilitychange", refresh)
    return () => {
      isWanted = false
      clearTimeout(first)
      clearInterval(timer)
      document.removeEventListener("visibilitychange", refresh)
    }
  }, [client, asked, path])

  return counts
}
