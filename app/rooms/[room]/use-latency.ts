"use client"
import { useEffect, useState } from "react"
import type { ChannelRef } from "throughline"
import { useRealtimeClient } from "throughline/react"
import type { RoomDefinition } from "#lib/chat/channels.ts"
import { useActivityStore } from "../../_components/room-activity.tsx"

/**
 * How long one's own last message took from this page to the log, through the provider and back to this page, in milliseconds; null
 * before the first. One that met an interruption says nothing about the provider and isn't counted.
 */
export function useLatency(room: string, ref: ChannelRef<RoomDefinition>): number | null {
  const client = useRealtimeClient()
  const store = useActivityStore()
  const [latency, setLatency] = useState<number | null>(null)

  useEffect(() => {
    const { outbox } = client.channel(ref)
    const isConnected = () => client.connection.status.state === "connected"
    const sentAt = new Map<string, number>()
    /** What a page before this one left behind isn't measured. */
    const seen = new Set(outbox.messages.map(({ id }) => id))
    const stopOutbox = outbox.subscribe(() => {
      for (const { id } of outbox.messages) {
        if (!seen.has(id) && isConnected()) sentAt.set(id, performance.now())
        seen.add(id)
      }
    })
    const stopMessages = store.onMessages((of, messages) => {
      if (of !== room) return
      for (const { id } of messages) {
        const since = sentAt.get(id)
        if (since !== undefined) setLatency(Math.round(performance.now() - since))
        sentAt.delete(id)
        seen.delete(id)
      }
    })
    const stopConnection = client.connection.subscribe(() => {
      if (!isConnected()) sentAt.clear()
    })
    return () => {
      stopOutbox()
      stopMessages()
      stopConnection()
    }
  }, [client, store, room, ref])

  return latency
}
