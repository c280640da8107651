"use client"
import { useState } from "react"
import type { LogPage } from "throughline"
import { useConnection, useMessages } from "throughline/react"
import { room } from "../../realtime/channels"

const lobby = room({ room: "lobby" })

export function Chat({ initial }: { initial: LogPage }) {
  const { messages, pending, send } = useMessages(lobby, { initial })
  const { provider, state } = useConnection()
  const [text, setText] = useState("")

  return (
    <form
      action={() => {
        if (text.trim()) send("said", { text })
        setText("")
      }}
    >
      <p role="status">
        {provider}: {state}
      </p>
      <ul>
        {messages.map(({ id, from, payload }) => (
          <li key={id}>
            {from?.name ?? "Server"}: {payload.text}
          </li>
        ))}
        {pending.map(({ id, payload }) => (
          <li key={id}>… {payload.text}</li>
        ))}
      </ul>
      <input aria-label="Message" value={text} onChange={(event) => setText(event.target.value)} />
      <button type="submit">Send</button>
    </form>
  )
}
