import * as z from "zod/mini"
import type { MessagePlace } from "./message-link.ts"
import { personalStorage } from "./personal-storage.ts"
import type { Mentioned } from "./rich-text.ts"

/** What is being written: its text, and who was chosen to be mentioned in it. */
export interface Draft {
  text: string
  chosen: readonly Mentioned[]
}

export const emptyDraft: Draft = { text: "", chosen: [] }

/** A change to a message that isn't saved yet: where the message is, its text when the change was begun, and what stands in its place now. */
export interface KeptEdit extends Draft, MessagePlace {
  base: string
}

const schema = z.object({
  text: z.string(),
  chosen: z.array(z.object({ id: z.string(), name: z.string() })),
})
const editSchema = z.extend(schema, { id: z.string(), seq: z.number(), base: z.string() })

/** Which message is being answered. */
const replySchema = z.object({ id: z.string(), seq: z.number() })
export type ReplyPlace = z.infer<typeof replySchema>

/**
 * Browser: one person's drafts, a room each: they outlive the tab. An edit is of the tab in which the message is open, and outlives its reload.
 * Whoever signs in next on the same browser doesn't find them.
 */
export function createDrafts(userId: string) {
  const storage = personalStorage(userId, "draft")
  const edits = personalStorage(userId, "edit")
  const replyOf = (roomId: string) => `${roomId}/reply`

  const write = (name: string, value: unknown) =>
    storage.write(value === null ? null : JSON.stringify(value), name)

  return {
    read: (roomId: string): Draft => storage.readJson(schema.parse, roomId) ?? emptyDraft,
    write: (roomId: string, draft: Draft) => write(roomId, draft.text === "" ? null : draft),
    readReply: (roomId: string): ReplyPlace | null => storage.readJson(replySchema.parse, replyOf(roomId)),
    writeReply: (roomId: string, place: ReplyPlace | null) => write(replyOf(roomId), place),
    readEdit: (roomId: string): KeptEdit | null => edits.readJson(editSchema.parse, roomId),
    /** One that changes nothing isn't kept. */
    writeEdit(roomId: string, edit: KeptEdit | null) {
      edits.write(edit === null || edit.text === edit.base ? null : JSON.stringify(edit), roomId)
    },
    /** Takes away what others left here. */
    removeOthers() {
      storage.removeOthers()
      edits.removeOthers()
    },
  }
}
