import { defineChannel } from "throughline"
import * as z from "zod/mini"

// What is sent, and where: both ends read it here.
export const room = defineChannel("room:{room}", {
  messages: { said: z.object({ text: z.string() }) },
})
