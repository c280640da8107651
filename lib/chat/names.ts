import { isLineOfText, lengthOf, visibleText } from "./visible-text.ts"

/** In characters as `lengthOf` counts them. */
export const maxPersonNameLength = 40
export const maxRoomNameLength = 60

/** Why nobody, and no room, may be called that. */
export type NameFault = "empty" | "invisible" | "tooLong" | "disturbing"

/**
 * What people and rooms may be called: something that can be seen, and nothing that disturbs what stands beside it. Null where nothing is
 * wrong with a name; it is kept as `visibleText` of what was written.
 */
export function nameFaultOf(text: string, max: number): NameFault | null {
  const name = visibleText(text)
  if (name === "") return text.trim() === "" ? "empty" : "invisible"
  if (lengthOf(name) > max) return "tooLong"
  return isLineOfText(name) ? null : "disturbing"
}
