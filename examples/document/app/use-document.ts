import { useEffect, useReducer, useState } from "react"
import { useChannel, usePresence, useUser } from "throughline/react"
import { openDocument, type SharedAwareness, type SharedDocument, shareAwareness } from "throughline/yjs"
import { documents } from "../realtime/documents.ts"
import { seed } from "./seed.ts"

/** A document, and who is where in it; nulls until it is known whose browser this is. Draws again when either is another. */
export function useDocument(id: string, canWrite: boolean) {
  const ref = documents({ document: id })
  const { channel } = useChannel(ref)
  const owner = useUser()?.id
  const [document, setDocument] = useState<SharedDocument | null>(null)
  const [shared, setShared] = useState<SharedAwareness | null>(null)
  const [, draw] = useReducer((count: number) => count + 1, 0)
  // With the last page of a person their carets go.
  usePresence(ref, {})

  useEffect(() => {
    if (owner === undefined) return
    // By its owner, what the log doesn't have yet outlives the page.
    const opened = openDocument(channel, { owner, canWrite, seed: (doc) => seed(doc, id) })
    opened.subscribe(draw)
    setDocument(opened)
    return () => void opened.close()
  }, [channel, owner, canWrite, id])

  // Another one once changes were thrown away, or the log was replaced: a document can't forget.
  const doc = document?.doc
  useEffect(() => {
    if (!doc) return
    const opened = shareAwareness(channel, doc)
    setShared(opened)
    return opened.close
  }, [channel, doc])

  return { document, awareness: shared?.awareness.doc === doc ? shared?.awareness : undefined }
}
