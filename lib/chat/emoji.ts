/** Pictures, flags and keycaps; digits and `#` alone are emoji only by name. */
const emojiParts = /^[\p{Emoji}\p{Emoji_Component}]+$/u
const emojiSign = /[\p{Extended_Pictographic}\p{Regional_Indicator}]|\u20e3/u

const graphemes = new Intl.Segmenter()

/** Whether a text is one emoji and nothing else. */
export function isEmoji(text: string): boolean {
  if (!emojiParts.test(text) || !emojiSign.test(text)) return false
  const [first, second] = graphemes.segment(text)
  return first !== undefined && second === undefined
}
