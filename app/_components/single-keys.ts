"use client"
import { useMemo, useSyncExternalStore } from "react"
import { personalStorage } from "#lib/chat/personal-storage.ts"
import { useMe } from "./chat-provider.tsx"

/**
 * Whether a key alone does something outside of a field, and how to choose that, here in this browser. It can be turned off, for whoever
 * speaks to the computer, to which each letter of a word may be such a key:
 * https://www.w3.org/WAI/WCAG22/Understanding/character-key-shortcuts.html
 */
export function useSingleKeys(): [isOn: boolean, choose: (isOn: boolean) => void] {
  const { id } = useMe()
  const storage = useMemo(() => personalStorage(id, "singleKeys"), [id])
  const isOn = useSyncExternalStore(
    storage.subscribe,
    () => storage.read() !== "off",
    () => true,
  )
  return [isOn, (next) => storage.write(next ? "on" : "off")]
}
