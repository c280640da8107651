"use client"
import { type RefObject, useEffect, useMemo, useState } from "react"
import type { Conversation } from "#lib/chat/conversation.ts"
import { createDrafts, type KeptEdit } from "#lib/chat/drafts.ts"
import type { ComposerHandle } from "./composer.tsx"
import { messageElement } from "./jump.tsx"

/** How an edit ends whose message is no longer there to be edited. */
export type LostEdit = "messages.editLost" | "messages.editKept"

interface Options {
  roomId: string
  userId: string
  conversation: Conversation
  composer: RefObject<ComposerHandle | null>
  /** An edit goes on that was under way when the tab showed this room last: its message may stand out of sight. */
  onReopen(id: string): void
  /** What was written is in the composer now. */
  onLost(how: LostEdit): void
}

/** Which message is being edited, and what the editing has made of it so far: that outlives a reload, and the room. */
export function useEditing({ roomId, userId, conversation, composer, onReopen, onLost }: Options) {
  const drafts = useMemo(() => createDrafts(userId), [userId])
  const [editing, setEditing] = useState<string | null>(null)

  useEffect(() => {
    const kept = drafts.readEdit(roomId)
    if (!kept) return
    setEditing(kept.id)
    onReopen(kept.id)
    // Once for a room, as it was opened.
  }, [drafts, roomId])

  const edited = editing === null ? null : conversation.find(editing)
  const isLost = editing !== null && (edited === null || edited.isDeleted)
  useEffect(() => {
    if (!isLost || editing === null) return
    const kept = drafts.readEdit(roomId)
    drafts.writeEdit(roomId, null)
    setEditing(null)
    // The focus goes with the field, and to the composer it must not: the Enter that was to save would send.
    if (document.activeElement === document.body) messageElement(editing)?.focus({ preventScroll: true })
    if (kept?.id !== editing) return
    composer.current?.append(kept)
    onLost(edited ? "messages.editLost" : "messages.editKept")
  }, [isLost, editing, edited, drafts, roomId, composer, onLost])

  const actions = useMemo(
    () => ({
      /** Opens a message for editing; null closes the one that is open. What was made of that is given up. */
      open(id: string | null) {
        drafts.writeEdit(roomId, null)
        setEditing(id)
      },
      keep: (edit: KeptEdit) => drafts.writeEdit(roomId, edit),
      /** What an earlier page had made of this one. */
      kept(id: string): KeptEdit | null {
        const kept = drafts.readEdit(roomId)
        return kept?.id === id ? kept : null
      },
    }),
    [drafts, roomId],
  )
  return { editing, ...actions }
}
