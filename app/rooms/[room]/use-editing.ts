"use client"
import { type RefObject, useEffect, useMemo, useRef, useState } from "react"
import type { Conversation } from "#lib/chat/conversation.ts"
import { createDrafts, type KeptEdit } from "#lib/chat/drafts.ts"
import type { MessagePlace } from "#lib/chat/message-link.ts"
import type { ComposerHandle } from "./composer.tsx"
import { messageElement } from "./jump.tsx"

/** How an edit ends whose message is no longer there to be edited. */
export type LostEdit = "messages.editLost" | "messages.editKept"

interface Options {
  roomId: string
  userId: string
  conversation: Conversation
  composer: RefObject<Pick<ComposerHandle, "append"> | null>
  /** Whether the log has been read there: until then a message that isn't found may still come. */
  isRead(seq: number): boolean
  /** An edit goes on that was under way when the tab showed this room last: its message may stand out of sight, or not be loaded. */
  onReopen(place: MessagePlace): void
  /** What was written is in the composer now. */
  onLost(how: LostEdit): void
}

/** Which message is being edited, and what the editing has made of it so far: that outlives a reload, and the room. */
export function useEditing(options: Options) {
  const { roomId, userId, conversation, composer, isRead, onReopen, onLost } = options
  const drafts = useMemo(() => createDrafts(userId), [userId])
  const [place, setPlace] = useState<MessagePlace | null>(null)
  const editing = place?.id ?? null

  useEffect(() => {
    const kept = drafts.readEdit(roomId)
    if (!kept) return
    const { id, seq } = kept
    setPlace({ id, seq })
    onReopen({ id, seq })
    // Once for a room, as it was opened.
  }, [drafts, roomId])

  const edited = place && conversation.find(place.id)
  const isLost = place !== null && (edited ? edited.isDeleted : isRead(place.seq))
  const toComposer = useMemo(
    () => (id: string, how: LostEdit) => {
      const kept = drafts.readEdit(roomId)
      drafts.writeEdit(roomId, null)
      if (kept?.id !== id) return
      composer.current?.append(kept)
      onLost(how)
    },
    [drafts, roomId, composer, onLost],
  )
  useEffect(() => {
    if (!isLost || editing === null) return
    setPlace(null)
    // The focus goes with the field, and to the composer it must not: the Enter that was to save would send.
    if (document.activeElement === document.body) messageElement(editing)?.focus({ preventScroll: true })
    toComposer(editing, edited ? "messages.editLost" : "messages.editKept")
  }, [isLost, editing, edited, toComposer])

  /** What actions look at when they are called; they themselves never change. */
  const latest = useRef({ place, edited })
  latest.current = { place, edited }
  const actions = useMemo(
    () => ({
      /** Opens a message for editing; null closes the one that is open. What was made of another is given up. */
      open(next: MessagePlace | null) {
        const { place, edited } = latest.current
        if (next && next.id === place?.id) {
          messageElement(next.id)?.querySelector("textarea")?.focus({ preventScroll: true })
          return
        }
        // One whose message isn't here yet nobody has seen, nor chosen to give up.
        if (place && !edited) toComposer(place.id, "messages.editKept")
        drafts.writeEdit(roomId, null)
        setPlace(next)
      },
      keep(edit: Omit<KeptEdit, "seq">) {
        const { place, edited } = latest.current
        if (place?.id === edit.id) drafts.writeEdit(roomId, { ...edit, seq: edited?.seq ?? place.seq })
      },
      /** What an earlier page had made of this one. */
      kept(id: string): KeptEdit | null {
        const kept = drafts.readEdit(roomId)
        return kept?.id === id ? kept : null
      },
    }),
    [drafts, roomId, toComposer],
  )
  return { editing, ...actions }
}
