import { disturbing } from "../chat/visible-text.ts"

/** What Unicode sets aside for scripts that are written from right to left. */
const rightToLeft = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u

/**
 * A name for a sentence, a label or a notification, where no `<bdi>` can stand: written as it would be alone, and what stands around
 * it too. Our own texts run from left to right, so that most names need nothing. A sign-in of your own may let names through that
 * the chat's refuses.
 */
export function isolated(name: string): string {
  const line = name.replace(disturbing, "")
  return rightToLeft.test(line) ? `\u2068${line}\u2069` : line
}
