import { centre } from "../realtime/court.ts"
import { realtime } from "../realtime/server.ts"
import { Court } from "./court.tsx"
import { language } from "./language.ts"

export default async function Page() {
  const initial = await realtime.state(centre).read(["world"])
  return (
    <Court lang={await language()} initial={initial} points={await realtime.history(centre, { limit: 1 })} />
  )
}
