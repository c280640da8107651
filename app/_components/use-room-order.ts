"use client"
import { type FocusEvent, type PointerEvent, useEffect, useRef, useState } from "react"
import { inReadingOrder } from "#lib/chat/room-activity.ts"
import { useRoomActivity } from "./room-activity.tsx"

/**
 * Rooms in the order in which one would read them. While the pointer or the keyboard is in the list it stays as it is: what
 * one is about to press doesn't move away.
 */
export function useRoomOrder(rooms: readonly string[]) {
  const activity = useRoomActivity()
  const [isPointed, setIsPointed] = useState(false)
  const [hasKeyboard, setHasKeyboard] = useState(false)
  const kept = useRef<readonly string[]>([])
  const wished = inReadingOrder(rooms, activity)
  const order =
    isPointed || hasKeyboard
      ? [
          ...kept.current.filter((room) => rooms.includes(room)),
          ...wished.filter((room) => !kept.current.includes(room)),
        ]
      : wished
  useEffect(() => {
    kept.current = order
  })
  const release = () => setIsPointed(false)
  const hold = {
    onPointerEnter: () => setIsPointed(true),
    // A finger leaves before its click comes, which must find the list as it was pressed.
    onPointerLeave: ({ pointerType }: PointerEvent) => pointerType === "mouse" && release(),
    onPointerCancel: release,
    onClick: ({ nativeEvent }: { nativeEvent: MouseEvent }) =>
      (nativeEvent as Partial<globalThis.PointerEvent>).pointerType !== "mouse" && release(),
    onFocus: ({ target }: FocusEvent) => setHasKeyboard(target.matches(":focus-visible")),
    // From one room to the next, the keyboard is in the list all the while.
    onBlur: ({ currentTarget, relatedTarget }: FocusEvent) =>
      currentTarget.contains(relatedTarget) || setHasKeyboard(false),
  }
  return { order, hold }
}
