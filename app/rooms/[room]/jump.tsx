"use client"
import { createContext, useContext } from "react"
import type { MessagePlace } from "#lib/chat/message-link.ts"

/** Shows a message of the open room, wherever it is in the history. The room's view provides it. */
export const JumpContext = createContext<(target: MessagePlace) => void>(() => {})

export const useJump = () => useContext(JumpContext)

/** Where a message stands, if it does: what has the focus when what was asked about it is done, and the menu that led there is gone. */
export const messageElement = (id: string) =>
  document.querySelector<HTMLElement>(`[data-message="${CSS.escape(id)}"]`)
