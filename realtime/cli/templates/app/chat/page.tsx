import { Suspense } from "react"
import { Throughline } from "../../realtime/provider"
import { realtime } from "../../realtime/server"
import { Chat } from "./chat"

export default function ChatPage() {
  return (
    <Suspense fallback={<p>Connecting…</p>}>
      <Connected />
    </Suspense>
  )
}

async function Connected() {
  return (
    <Throughline config={await realtime.config()}>
      <Chat />
    </Throughline>
  )
}
