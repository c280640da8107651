"use client"
import type { LogPage } from "throughline"
import { useConnection, useMessages } from "throughline/react"
import { room } from "../../realtime/channels"

const clicks = room({ room: "clicks" })

export function Counter({ initial }: { initial: LogPage }) {
  const { messages, pending, send } = useMessages(clicks, { initial })
  const { provider, state } = useConnection()
  // Messages are numbered from 1 without a gap, so that the last one's number is how many there were.
  const count = (messages.at(-1)?.seq ?? 0) + pending.length

  return (
    <>
      <p role="status">
        {provider}: {state}
      </p>
      <button type="button" onClick={() => send("said", { text: "+1" })}>
        {count}
      </button>
    </>
  )
}
