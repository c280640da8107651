"use client"
import { useSyncExternalStore } from "react"

const key = "throughline.singleKeys"
const changed = "throughline:singleKeys"

function subscribe(listener: () => void): () => void {
  window.addEventListener("storage", listener)
  window.addEventListener(changed, listener)
  return () => {
    window.removeEventListener("storage", listener)
    window.removeEventListener(changed, listener)
  }
}

/**
 * Whether a key alone does something outside of a field. It can be turned off, for whoever speaks to the computer, to which each
 * letter of a word may be such a key: https://www.w3.org/WAI/WCAG22/Understanding/character-key-shortcuts.html
 */
export const hasSingleKeys = (): boolean => localStorage.getItem(key) !== "off"

export const useSingleKeys = (): boolean => useSyncExternalStore(subscribe, hasSingleKeys, () => true)

/** Kept in this browser. */
export function setSingleKeys(isOn: boolean): void {
  localStorage.setItem(key, isOn ? "on" : "off")
  window.dispatchEvent(new Event(changed))
}
