"use client"
import { useSyncExternalStore } from "react"
import { matches, onMediaChange } from "./media.ts"

/** A finger and nothing finer: the keys are on the screen, where Shift and Enter together can't be pressed. */
const query = "(pointer: coarse) and (not (any-pointer: fine))"

const subscribe = (listener: () => void) => onMediaChange(query, listener)

/** Whether the page is used by touch alone, as on a phone. */
export const useIsTouch = (): boolean =>
  useSyncExternalStore(
    subscribe,
    () => matches(query),
    () => false,
  )
