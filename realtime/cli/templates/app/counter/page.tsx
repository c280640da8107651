import { connection } from "next/server"
import { Suspense } from "react"
import { room } from "../../realtime/channels"
import { Throughline } from "../../realtime/provider"
import { realtime } from "../../realtime/server"
import { Counter } from "./counter"

export default function CounterPage() {
  return (
    <Suspense fallback={<p>Connecting…</p>}>
      <Connected />
    </Suspense>
  )
}

async function Connected() {
  // For each request: a page that is built ahead would keep the configuration of the machine that builds it.
  await connection()
  const config = await realtime.config()
  // The newest messages are in the page's HTML, and what is sent from then on joins them.
  const initial = await realtime.history(room({ room: "clicks" }))
  return (
    <Throughline config={config}>
      <Counter initial={initial} />
    </Throughline>
  )
}
