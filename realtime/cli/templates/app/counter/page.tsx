import { Suspense } from "react"
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
  return (
    <Throughline config={await realtime.config()}>
      <Counter />
    </Throughline>
  )
}
