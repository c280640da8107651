import * as z from "zod/mini"
import { defineChannel } from "#realtime"

export const maxTextLength = 4000

const nothing = z.object({})

/** What people write. */
const text = z.object({
  text: z.string().check(z.trim(), z.minLength(1), z.maxLength(maxTextLength)),
})

/** A room: what is said in it, who is typing, who is there. Shared by both ends. */
export const room = defineChannel("room:{room}", {
  messages: {
    "text-sent": text,
    /** Published by the server alone; `access.ts` refuses them from browsers. */
    "room-created": nothing,
    "member-joined": nothing,
    "member-left": nothing,
  },
  signals: { typing: z.object({ isTyping: z.boolean() }) },
  presence: z.object({ status: z.enum(["active", "away"]) }),
})

/** One visitor's laboratory: numbered messages between two clients of theirs. */
export const lab = defineChannel("lab:{owner}:{visit}", {
  messages: { numbered: z.object({ side: z.enum(["left", "right"]) }) },
  signals: {},
  presence: nothing,
})

export const chatChannels = { room, lab }
export type ChatChannels = typeof chatChannels
export type RoomDefinition = typeof room

/** What a browser may publish. */
export const publishableEvents: ReadonlySet<string> = new Set(["text-sent", "numbered"])
