import { defineChannel } from "../../channel.ts"
import { yjsUpdate } from "../../yjs/schema.ts"

/** What the server of `server-throughline.ts` and its pages agree on. */
export const notes = defineChannel("notes:{notes}", { messages: { update: yjsUpdate() } })

/** The one document that they have. */
export const note = notes({ notes: "1" })
