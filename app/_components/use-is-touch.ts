"use client"
import { useSyncExternalStore } from "react"

/** A finger and nothing finer: the keys are on the screen, where Shift and Enter together can't be pressed. */
const query = "(pointer: coarse) and (not (any-pointer: fine))"

function subscribe(listener: () => void): () => void {
  const media = matchMedia(query)
  media.addEventListener("change", listener)
  return () => media.removeEventListener("change", listener)
}

/** Whether the page is used by touch alone, as on a phone. */
export const useIsTouch = (): boolean =>
  useSyncExternalStore(
    subscribe,
    () => matchMedia(query).matches,
    () => false,
  )
