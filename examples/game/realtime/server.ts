import { guests, type Throughline, throughline } from "throughline/next"
import { court } from "./court.ts"
import { steer } from "./loop.ts"

export const realtime: Throughline<{ court: typeof court }> = throughline({
  channels: { court },
  identify: guests(),
  // The world and the points are the server's to tell.
  authorize: ({ action }) => action !== "publish",
  onSignal: { court: { steered: (signal) => steer(realtime, signal) } },
})
