"use client"
import { createContext, useContext } from "react"
import type { MessagePlace } from "#lib/chat/message-link.ts"

/** Shows a message of the open room, wherever it is in the history. The room's view provides it. */
export const JumpContext = createContext<(target: MessagePlace) => void>(() => {})

export const useJump = () => useContext(JumpContext)
