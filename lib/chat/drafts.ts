import * as z from "zod/mini"
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

const prefix = "throughline.draft."

/**
 * Browser: one person's drafts, a room each, in the browser's own storage: they outlive the tab. Whoever signs in next on the
 * same browser doesn't find them.
 */
export function createDrafts(storage: Storage, userId: string) {
  const keyOf = (roomId: string) => `${prefix}${userId}.${roomId}`
  const replyKeyOf = (roomId: string) => `${keyOf(roomId)}/reply`

  function read<T>(key: string, parse: (kept: unknown) => T): T | null {
    const kept = storage.getItem(key)
    if (kept === null) return null
    try {
      return parse(JSON.parse(kept))
    } catch {
      // Written by another version, or by hand.
      return null
    }
  }

  function write(key: string, value: unknown): void {
    // If there is no room for the new one, the old one would be the wrong one to come back.
    storage.removeItem(key)
    if (value === null) return
    try {
      storage.setItem(key, JSON.stringify(value))
    } catch {
      // The page holds it still.
    }
  }

  return {
    read: (roomId: string): Draft => read(keyOf(roomId), schema.parse) ?? emptyDraft,
    write: (roomId: string, draft: Draft) => write(keyOf(roomId), draft.text === "" ? null : draft),
    readReply: (roomId: string): ReplyPlace | null => read(replyKeyOf(roomId), replySchema.parse),
    writeReply: (roomId: string, place: ReplyPlace | null) => write(replyKeyOf(roomId), place),
    /** Takes away what others left here. */
    removeOthers(): void {
      for (const key of Object.keys(storage))
        if (key.startsWith(prefix) && !key.startsWith(`${prefix}${userId}.`)) storage.removeItem(key)
    },
  }
}
