/**
 * Whether every store gives a text back as it was: NUL ends or breaks it in some, and a lone surrogate becomes U+FFFD, which another
 * text may have. Asked before a store is, so that the answer doesn't depend on which one it is.
 */
export const isKeepable = (text: string): boolean => text.isWellFormed() && !text.includes("\0")
