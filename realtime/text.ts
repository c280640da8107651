/** A half of a surrogate pair that stands alone. */
const loneSurrogate = /\p{Surrogate}/gu

/** `String.prototype.isWellFormed`, which the oldest browsers that are served lack. */
export const isWellFormed = (text: string): boolean => text.search(loneSurrogate) === -1

/** `String.prototype.toWellFormed`, likewise. */
export const toWellFormed = (text: string): string => text.replace(loneSurrogate, "\ufffd")

/**
 * Whether every store gives a text back as it was: NUL ends or breaks it in some, and a lone
 * surrogate becomes U+FFFD, which another text may have. Asked before a store is, so that the answer
 * doesn't depend on which one it is.
 */
export const isKeepable = (text: string): boolean => isWellFormed(text) && !text.includes("\0")

/** A text that says something. */
export const isText = (value: unknown): boolean => typeof value === "string" && value.trim() !== ""
