import { defineChannel } from "throughline"
import * as z from "zod/mini"
import { isEmoji } from "./emoji.ts"
import { lengthOf, visibleText } from "./visible-text.ts"

/** In characters as `lengthOf` counts them. */
export const maxTextLength = 4000
export const maxFilesPerMessage = 10
export const maxMentions = 50

const nothing = z.object({})

const messageId = z.uuid()

const text = z.string().check(
  z.overwrite(visibleText),
  z.refine((text) => lengthOf(text) <= maxTextLength),
)
const nonEmptyText = text.check(z.minLength(1))

/** Of people, by their ids: who is to be told. Whoever isn't in the room isn't. */
const mentions = z.array(z.string().check(z.minLength(1), z.maxLength(128))).check(z.maxLength(maxMentions))

/** A file that was uploaded before: its sender's, for this room. `access.ts` asks the store's register. */
export const fileSchema = z.object({
  id: z.uuid(),
  name: z.string().check(z.minLength(1), z.maxLength(200)),
  /** By the file's own bytes, as the server found it; never what a browser claimed. */
  type: z.string().check(z.maxLength(100)),
  /** In bytes. */
  size: z.int().check(z.positive()),
  /** Of images, in pixels. */
  width: z.optional(z.int().check(z.positive())),
  height: z.optional(z.int().check(z.positive())),
  hasThumbnail: z.optional(z.boolean()),
})

const textSent = z
  .object({
    text,
    /** What it answers; its place too, so that it can be found where it isn't loaded. */
    replyTo: z.optional(z.object({ id: messageId, seq: z.int().check(z.positive()) })),
    mentions: z.optional(mentions),
    files: z.optional(z.array(fileSchema).check(z.minLength(1), z.maxLength(maxFilesPerMessage))),
  })
  .check(z.refine(({ text, files }) => text !== "" || files !== undefined))

/** A room: what is said in it, who is typing, who is there. Shared by both ends. */
export const room = defineChannel("room:{room}", {
  messages: {
    "text-sent": textSent,
    /** What was said stays in the log; `conversation.ts` says what is shown of it. */
    "message-edited": z.object({
      target: messageId,
      text: nonEmptyText,
      mentions: z.optional(mentions),
    }),
    "message-deleted": z.object({ target: messageId }),
    /** The last one of a person and an emoji counts. */
    "reaction-set": z.object({
      target: messageId,
      emoji: z.string().check(z.maxLength(40), z.refine(isEmoji)),
      isOn: z.boolean(),
    }),
    /** Published by the server alone; `access.ts` refuses them from browsers. */
    "room-created": nothing,
    "member-joined": nothing,
    "member-left": nothing,
    /** From the room's owner. */
    "room-renamed": z.object({ name: z.string() }),
    /** From whoever was put out, whom it is about: their erasure takes it out of the log with the rest of theirs. */
    "member-put-out": nothing,
    /** From the room's owner: what releases before said in place of `member-put-out`. Logs hold it; nobody writes it any more. */
    "member-removed": z.object({ person: z.object({ id: z.string(), name: z.string() }) }),
    /** The last thing that is said in it, to whoever has it open. */
    "room-deleted": nothing,
    /** What the log leaves of a message that was taken out of it. */
    erased: z.null(),
  },
  signals: { typing: z.object({ isTyping: z.boolean() }) },
  presence: z.object({ status: z.enum(["active", "away"]) }),
})

/** What one person's tabs and devices tell each other, and the server all of them. */
export const person = defineChannel("person:{person}", {
  messages: {},
  signals: {
    "read-moved": z.object({ room: z.string(), epoch: z.string(), seq: z.int() }),
    /** By the server: something was said in a room that their pages may not follow. */
    "room-stirred": z.object({ room: z.string() }),
    /** By the server: what it renders around the rooms is another by now, as what they are called. */
    "list-changed": nothing,
  },
  presence: nothing,
})

/** What tells one visit to the laboratory from the visitor's others: a page's own number, and so of one length. */
export const visitSchema = z.uuid()

/** One visitor's laboratory: numbered messages between two clients of theirs. */
export const lab = defineChannel("lab:{owner}:{visit}", {
  messages: { numbered: z.object({ side: z.enum(["left", "right"]) }) },
  signals: {},
  presence: nothing,
})

export const chatChannels = { room, person, lab }
export type ChatChannels = typeof chatChannels
export type RoomDefinition = typeof room
export type SharedFile = z.output<typeof fileSchema>

/** What a browser may publish. */
export const publishableEvents: ReadonlySet<string> = new Set([
  ...["text-sent", "message-edited", "message-deleted", "reaction-set"],
  "numbered",
])
