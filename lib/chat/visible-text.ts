/**
 * What draws nothing by itself: white space, what fonts are told to leave out, controls, marks without a letter below them. The last
 * four are signs that Unicode draws empty and has no property for: the blanks of Braille and of hieroglyphs, and a note without a head.
 */
const invisible =
  /[\p{White_Space}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\p{Cc}\p{Cf}\p{Cs}\p{M}\u2800\u{13441}\u{13442}\u{1d159}]/gu

/** What breaks the line that it stands in, or turns the direction of what comes after it. Global, for taking it out. */
export const disturbing = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu

/** What can be seen of a text that somebody wrote: all of it but the space around it, or "" when there is nothing to see. */
export const visibleText = (text: string): string => (text.replace(invisible, "") === "" ? "" : text.trim())

/** How many characters a text has: an emoji is one, where a string's `length` says two. */
export const lengthOf = (text: string) => [...text].length

/** Whether a text may stand in one line with others, as names do. */
export const isLineOfText = (text: string): boolean => text.search(disturbing) === -1
