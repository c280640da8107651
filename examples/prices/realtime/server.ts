import { guests, throughline } from "throughline/next"
import { market } from "./market.ts"

export const realtime = throughline({
  channels: { market },
  identify: guests(),
  // Everybody may look; only the feed sets prices.
  authorize: ({ action }) => action === "subscribe",
})
