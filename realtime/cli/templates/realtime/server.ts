import { guests, throughline } from "throughline/next"
import { room } from "./channels"

export const realtime = throughline({
  channels: { room },
  // Everybody is a guest. With a sign-in of your own: (request) => ({ id, name }), or null for nobody.
  identify: guests(),
  // Whether this user may do this in this channel; everybody may do everything.
  authorize: () => true,
})
