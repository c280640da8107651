"use client"
import { useEffect, useRef, useState, useSyncExternalStore } from "react"
import type { Doc } from "yjs"
import type { ChannelRef } from "../channel.ts"
import type { Channel } from "../client/types.ts"
import { useRealtimeClient, useUser } from "../react/context.ts"
import type { DocumentDefinition, DocumentOptions, DocumentStatus, SharedDocument } from "./document-types.ts"
import { openDocument } from "./open-document.ts"

/** What `useDocument` returns. */
export interface DocumentView {
  /** The document; null in the first render. Its `flush` and `discardLocal` are for buttons. */
  readonly document: SharedDocument | null
  /**
   * For an editor's binding: another one after `discardLocal`, and after the log was replaced. Null with
   * `document`.
   */
  readonly doc: Doc | null
  /** How it stands towards the log. */
  readonly status: DocumentStatus
  /** Whether to let people write: it is loaded, the user may, and nothing was refused. */
  readonly canWrite: boolean
}

const loading: DocumentStatus = { state: "loading", unsent: 0 }
const neverChanges = () => () => {}

/**
 * Browser: opens the document of a channel for as long as the component is mounted, as `openDocument` does,
 * and draws again when `doc`, `status` or `canWrite` are others. Below `<Throughline>` its `owner` is who is
 * signed in, so that it is kept in the browser; of the other options `canWrite` alone is looked at again in
 * later renders. An error boundary is told what `openDocument` throws.
 *
 * ```tsx
 * const documents = defineChannel("document:{document}", { messages: { update: yjsUpdate() } })
 * const { doc, status, canWrite } = useDocument(documents({ document: "7" }))
 * if (doc) console.log(status.state, canWrite, doc.getText("body").toString())
 * ```
 */
export function useDocument<D extends DocumentDefinition>(
  ref: ChannelRef<D>,
  options: DocumentOptions = {},
): DocumentView {
  const channel = useRealtimeClient().channel(ref)
  const user = useUser()
  const { owner = user?.id, canWrite = true } = options
  const latest = useRef(options)
  useEffect(() => {
    latest.current = options
  })
  const [opened, setOpened] = useState<{ of: Channel<D>; document: SharedDocument } | null>(null)

  useEffect(() => {
    const document = openDocument(channel, { ...latest.current, owner })
    setOpened({ of: channel, document })
    return () => {
      setOpened(null)
      void document.close()
    }
  }, [channel, owner])

  const document = opened?.of === channel ? opened.document : null
  useEffect(() => document?.setCanWrite(canWrite), [document, canWrite])
  const subscribe = document?.subscribe ?? neverChanges
  const getDoc = () => document?.doc ?? null
  const getStatus = () => document?.status ?? loading
  const getCanWrite = () => document?.canWrite ?? false
  return {
    document,
    doc: useSyncExternalStore(subscribe, getDoc, getDoc),
    status: useSyncExternalStore(subscribe, getStatus, getStatus),
    canWrite: useSyncExternalStore(subscribe, getCanWrite, getCanWrite),
  }
}
