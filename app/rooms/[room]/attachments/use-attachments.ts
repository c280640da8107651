"use client"
import { type ClipboardEvent, useMemo, useSyncExternalStore } from "react"
import type { SharedFile } from "#lib/chat/channels.ts"
import { useMe } from "../../../_components/chat-provider.tsx"
import { createUploads, noUploads, type Uploads, type UploadsState } from "./uploads.ts"

/** What a composer needs of the files that go with its message. */
export interface Attachments
  extends UploadsState,
    Pick<Uploads, "add" | "remove" | "retry" | "hideOverfull"> {
  /** Something is on its way: the message waits for it. */
  isBusy: boolean
  /** How many are ready to be sent. */
  readyCount: number
  /** Those that are ready, to be sent; they are gone from here then. */
  take(): SharedFile[]
  /** For the field: takes pictures and files out of the clipboard, and leaves text to the field. */
  onPaste(event: ClipboardEvent): void
}

/** By person and room, for as long as the page lives: an upload goes on while one looks into another room. */
const all = new Map<string, Uploads>()

function uploadsOf(userId: string, roomId: string): Uploads {
  const key = JSON.stringify([userId, roomId])
  const known = all.get(key)
  if (known) return known
  const made = createUploads({ owner: userId, roomId })
  all.set(key, made)
  return made
}

const none: Uploads = {
  state: () => noUploads,
  subscribe: () => () => {},
  add() {},
  remove() {},
  retry() {},
  take: () => [],
  hideOverfull() {},
}

/** Where files can't be sent, `onRefused` is told that somebody tried to. */
export function useAttachments(roomId: string, isEnabled: boolean, onRefused: () => void): Attachments {
  const { id } = useMe()
  const uploads = isEnabled && typeof window !== "undefined" ? uploadsOf(id, roomId) : none
  const state = useSyncExternalStore(uploads.subscribe, uploads.state, none.state)
  return useMemo(() => {
    const { remove, retry, take, hideOverfull } = uploads
    const add = isEnabled ? uploads.add : onRefused
    return {
      ...state,
      ...{ add, remove, retry, take, hideOverfull },
      isBusy: state.attachments.some((each) => each.shared === null && each.state !== "failed"),
      readyCount: state.attachments.filter((each) => each.shared !== null).length,
      onPaste(event) {
        const { files, types } = event.clipboardData
        // A table copied in an office program is text and a picture of it: the text is what was meant.
        if (files.length === 0 || types.includes("text/plain")) return
        event.preventDefault()
        add([...files])
      },
    }
  }, [state, uploads, isEnabled, onRefused])
}
