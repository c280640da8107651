import { defineChannel } from "throughline"
import { yjsAwareness, yjsUpdate } from "throughline/yjs"
import * as z from "zod/mini"

export const documents = defineChannel("document:{document}", {
  messages: { update: yjsUpdate() },
  signals: { awareness: yjsAwareness() },
  latest: ["awareness"],
  presence: z.object({}),
})
