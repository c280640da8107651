"use client"
import { type ReactNode, useState } from "react"
import { createRealtimeClient, type RealtimeClientOptions } from "throughline/client"
import { RealtimeProvider, useConnection, useMessages, usePresence, useSignal } from "throughline/react"
import { rooms } from "./channels.js"

const providers: RealtimeClientOptions["providers"] = {
  ably: async () => (await import("throughline/ably/client")).createAblyTransport,
  pusher: async () => (await import("throughline/pusher/client")).createPusherTransport,
  socketio: async () => (await import("throughline/socketio/client")).createSocketIoTransport,
}

export function Realtime({
  config,
  children,
}: Pick<RealtimeClientOptions, "config"> & { children: ReactNode }) {
  const [client] = useState(() => createRealtimeClient({ config, owner: "ann", providers }))
  return <RealtimeProvider client={client}>{children}</RealtimeProvider>
}

export function Lobby() {
  const zod = useMessages(rooms.zodRoom({ room: "lobby" }))
  const mini = useMessages(rooms.miniRoom({ room: "lobby" }))
  const valibot = useMessages(rooms.valibotRoom({ room: "lobby" }))
  const arktype = useMessages(rooms.arktypeRoom({ room: "lobby" }))
  const presence = usePresence(rooms.zodRoom({ room: "lobby" }), { status: "here" })
  const sendTyping = useSignal(rooms.arktypeRoom({ room: "lobby" }), "typing", ({ payload }) => {
    payload.isTyping satisfies boolean
  })
  const { provider, state } = useConnection()
  const all = [...zod.messages, ...mini.messages, ...valibot.messages, ...arktype.messages]
  for (const { payload } of all) {
    payload.text satisfies string
    payload.at satisfies number
  }
  // @ts-expect-error a page sends what the schema takes in
  zod.send("text-sent", { text: 1, at: 1 })

  return (
    <button type="button" onClick={() => void sendTyping({ isTyping: true })}>
      {provider} {state} {presence?.members?.map(({ data }) => data.status).join()}
    </button>
  )
}
