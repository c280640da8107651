"use client"
import { createContext } from "react"
import { createListeners, logError } from "throughline"

/** Why a message's tools are shown: something of them is open, the mouse points at it, or the focus is in it. */
type Reason = "held" | "pointed" | "focused"

/** Which message of a list has the reader's attention. It is one at most, whatever the mouse and the keyboard are at. */
interface Attention {
  readonly id: string | null
  give(id: string, reason: Reason): void
  /** Nothing, where another has it for that reason by now. */
  take(id: string, reason: Reason): void
  /** The message is gone from the page. */
  forget(id: string): void
  /** Returns how to stop. */
  subscribe(listener: () => void): () => void
}

export function createAttention(): Attention {
  const listeners = createListeners(logError, "attention.subscribe")
  /** The one that came last is the last. */
  const ids = new Map<Reason, string>()
  const attended = () => ids.get("held") ?? [...ids.values()].at(-1) ?? null
  let id: string | null = null

  function update(): void {
    const before = id
    id = attended()
    if (id !== before) listeners.tell()
  }

  return {
    get id() {
      return id
    },
    give(id, reason) {
      ids.delete(reason)
      ids.set(reason, id)
      update()
    },
    take(id, reason) {
      if (ids.get(reason) === id) ids.delete(reason)
      update()
    },
    forget(id) {
      for (const [reason, attended] of ids) if (attended === id) ids.delete(reason)
      update()
    },
    subscribe: listeners.add,
  }
}

/** The list's. */
export const AttentionContext = createContext<Attention>(createAttention())
