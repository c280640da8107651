import { Board } from "./board.tsx"
import { language } from "./language.ts"

export default async function Page() {
  return <Board lang={await language()} />
}
