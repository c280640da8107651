"use client"
import { useEffect, useState } from "react"
import type { Awareness } from "y-protocols/awareness"
import type { Doc } from "yjs"
import type { ChannelRef } from "../channel.ts"
import { useRealtimeClient } from "../react/context.ts"
import { type AwarenessDefinition, type SharedAwareness, shareAwareness } from "./awareness.ts"

/**
 * Browser: who else is at a document, and where, as editors' bindings expect it: `shareAwareness` for as
 * long as the component is mounted. Null until `doc` is there, and in the render after it has become another
 * one. With `usePresence` beside it a person's carets go with their last page, even where that one crashed.
 * Called once for a channel, and handed down: two components that call it don't see each other's carets.
 *
 * ```tsx
 * const ref = documents({ document: "7" })
 * const { doc } = useDocument(ref)
 * const awareness = useAwareness(ref, doc)
 * useEffect(() => awareness?.setLocalStateField("user", { name: "Aki", color: "#7c3aed" }), [awareness])
 * ```
 */
export function useAwareness<D extends AwarenessDefinition>(
  ref: ChannelRef<D>,
  doc: Doc | null,
): Awareness | null {
  const channel = useRealtimeClient().channel(ref)
  const [shared, setShared] = useState<SharedAwareness | null>(null)

  useEffect(() => {
    if (!doc) return
    const opened = shareAwareness(channel, doc)
    setShared(opened)
    return () => {
      setShared(null)
      opened.close()
    }
  }, [channel, doc])

  return shared?.awareness.doc === doc ? (shared?.awareness ?? null) : null
}
