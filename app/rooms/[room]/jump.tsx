"use client"
import { createContext, useContext } from "react"

/** A message's place: `seq` finds it where it isn't loaded yet. */
export interface JumpTarget {
  id: string
  seq: number
}

/** Shows a message of the open room, wherever it is in the history. The room's view provides it. */
export const JumpContext = createContext<(target: JumpTarget) => void>(() => {})

export const useJump = () => useContext(JumpContext)
