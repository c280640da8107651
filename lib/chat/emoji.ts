import { graphemesOf } from "../i18n/graphemes.ts"

/** Pictures, flags and keycaps; digits and `#` alone are emoji only by name. */
const emojiParts = /^[\p{Emoji}\p{Emoji_Component}]+$/u
const emojiSign = /[\p{Extended_Pictographic}\p{Regional_Indicator}]|\u20e3/u

/** Whether a text is one emoji and nothing else. */
export function isEmoji(text: string): boolean {
  if (!emojiParts.test(text) || !emojiSign.test(text)) return false
  return graphemesOf(text).length === 1
}
