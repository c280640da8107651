import { guests, throughline } from "throughline/next"
import { board } from "./board.ts"

export const realtime = throughline({
  channels: { board },
  identify: guests(),
  authorize: () => true,
})
