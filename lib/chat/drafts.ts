import * as z from "zod/mini"
import { personalStorage } from "./personal-storage.ts"
import type { Mentioned } from "./rich-text.ts"

/** What is being written: its text, and who was chosen to be mentioned in it. */
export interface Draft {
  text: string
  chosen: readonly Mentioned[]
}

export const emptyDraft: Draft = { text: "", chosen: [] }

const schema = z.object({
  text: z.string(),
  chosen: z.array(z.object({ id: z.string(), name: z.string() })),
})

/** Which message is being answered. */
const replySchema = z.object({ id: z.string(), seq: z.number() })
export type ReplyPlace = z.infer<typeof replySchema>

/** Browser: one person's drafts, a room each: they outlive the tab. Whoever signs in next on the same browser doesn't find them. */
export function createDrafts(userId: string) {
  const storage = personalStorage(userId, "draft")
  const replyOf = (roomId: string) => `${roomId}/reply`

  const write = (name: string, value: unknown) =>
    storage.write(value === null ? null : JSON.stringify(value), name)

  return {
    read: (roomId: string): Draft => storage.readJson(schema.parse, roomId) ?? emptyDraft,
    write: (roomId: string, draft: Draft) => write(roomId, draft.text === "" ? null : draft),
    readReply: (roomId: string): ReplyPlace | null => storage.readJson(replySchema.parse, replyOf(roomId)),
    writeReply: (roomId: string, place: ReplyPlace | null) => write(replyOf(roomId), place),
    /** Takes away what others left here. */
    removeOthers: () => storage.removeOthers(),
  }
}
