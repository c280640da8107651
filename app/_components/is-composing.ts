import type { KeyboardEvent } from "react"

/** Whether a key belongs to the input method and not to the page: Enter confirms a conversion, Esc takes it back. */
export function isComposing(event: KeyboardEvent): boolean {
  // Safari ends the composition before it reports the key, and marks the key by this code only.
  return event.nativeEvent.isComposing || event.keyCode === 229
}
