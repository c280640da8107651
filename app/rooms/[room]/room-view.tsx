"use client"
import { useRouter } from "next/navigation"
import { useCallback, useEffect, useMemo, useState } from "react"
import { room as roomChannel } from "#lib/chat/channels.ts"
import type { Room } from "#lib/chat/rooms.ts"
import type { LogPage } from "#realtime"
import { useChannel, useMessages, usePresence } from "#realtime/react"
import { useMe } from "../../_components/chat-provider.tsx"
import { Composer } from "./composer.tsx"
import { ConnectionBanner } from "./connection-banner.tsx"
import { MessageList } from "./message-list.tsx"
import { RoomHeader } from "./room-header.tsx"
import { TypingRow, useTyping } from "./typing.tsx"
import { useIdle } from "./use-idle.ts"

/** A room, live: joins what is said now to the history that the server rendered. */
export function RoomView({
  room,
  initial,
  renderedAt,
}: {
  room: Room
  initial: LogPage
  renderedAt: number
}) {
  const me = useMe()
  const ref = useMemo(() => roomChannel({ room: room.id }), [room.id])
  const feed = useMessages(ref, { initial })
  const { status: access } = useChannel(ref)
  const router = useRouter()
  useEffect(() => {
    // They left in another tab, or were put out: the server knows what to show them now.
    if (access.state === "denied") router.refresh()
  }, [access.state, router])
  const status = useIdle() ? "away" : "active"
  const presence = usePresence(ref, { status })
  const typing = useTyping(ref, me.id)
  // What the server rendered names days as of then; the browser knows better, once it is there.
  const [now, setNow] = useState(renderedAt)
  useEffect(() => {
    setNow(Date.now())
    const timer = setInterval(() => setNow(Date.now()), 60_000)
    return () => clearInterval(timer)
  }, [])

  const send = useCallback(
    (text: string) => {
      feed.send("text-sent", { text })
      typing.stopped()
    },
    [feed.send, typing.stopped],
  )

  return (
    <main className="flex min-h-0 flex-1 flex-col">
      <RoomHeader room={room} presence={presence} />
      <ConnectionBanner caughtUp={feed.caughtUp} />
      <MessageList {...feed} me={me} now={now} />
      <TypingRow typists={typing.typists} />
      <Composer roomId={room.id} onSend={send} onTyping={typing.started} />
    </main>
  )
}
