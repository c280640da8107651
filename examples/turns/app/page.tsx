import { table } from "../realtime/board.ts"
import { realtime } from "../realtime/server.ts"
import { Board } from "./board.tsx"
import { language } from "./language.ts"

export default async function Page() {
  return <Board lang={await language()} initial={await realtime.history(table)} />
}
