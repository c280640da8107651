"use client"
import { createContext, useContext } from "react"
import type { Said } from "#lib/chat/conversation.ts"
import type { KeptEdit } from "#lib/chat/drafts.ts"

/** What one can do with what was said, and who does it. The same object for as long as the room is shown. */
export interface RoomActions {
  me: { id: string; name: string }
  /** May also delete what others said. */
  isOwner: boolean
  react(said: Said, emoji: string): void
  reply(said: Said): void
  /** Opens the text for editing, or goes to its field where it is open; null closes it. */
  edit(said: Said | null): void
  /** What an earlier page had made of it, and hadn't saved. */
  keptEdit(said: Said): KeptEdit | null
  /** What stands in the field: it is kept should the page be reloaded, the message deleted or oneself put out meanwhile. */
  keepEdit(edit: Omit<KeptEdit, "seq">): void
  saveEdit(said: Said, text: string, mentions: string[]): void
  /** Lists who reacted. */
  showReactions(said: Said): void
  /** Asks first. */
  remove(said: Said): void
  /** An address that shows it to whoever may read the room; null where the log doesn't have it yet. */
  linkTo(said: Said): string | null
  /** Tries a failed or refused message again, under its id. */
  retry(id: string): void
  discard(id: string): void
}

export const RoomActionsContext = createContext<RoomActions | null>(null)

export function useRoomActions(): RoomActions {
  const actions = useContext(RoomActionsContext)
  if (!actions)
    throw new TypeError("unable to act in a room; there is no <RoomActionsContext> above this component")
  return actions
}
