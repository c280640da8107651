/** Near enough where the browser can't tell: a flag is two signs, and marks, skin tones and what is joined belong to what they follow. */
const cluster =
  /\r\n|\p{Regional_Indicator}{2}|.(?:[\p{M}\p{Emoji_Modifier}\u200c\u{e0020}-\u{e007f}]|\u200d\p{Extended_Pictographic}?)*/gsu

/** The characters of a text as people count them: a letter with its marks is one, a family of emoji too. */
export function graphemesOf(text: string): string[] {
  // Firefox has it since 125.
  if (typeof Intl.Segmenter === "undefined") return text.match(cluster) ?? []
  // eslint-disable-next-line compat/compat -- asked for above
  return Array.from(new Intl.Segmenter().segment(text), ({ segment }) => segment)
}
