/** One thing that was looked at. */
export interface Finding {
  /** What was looked at, as in "PostgreSQL". */
  subject: string
  verdict: Verdict
  /** What was seen; never a secret. */
  detail: string
  /** With a warning or a failure: what to do. */
  advice?: string
}

/** `skipped`: it couldn't be looked at, because of something else that is said. */
export type Verdict = "ok" | "warning" | "failed" | "skipped"

/** So far from this machine's clock nothing is noticed; farther, times that people read are wrong. */
const noticeableMs = 5_000

/** @param refusedMs From here on the other side refuses what we sign, where it looks at the time. */
export function clockFinding(
  subject: string,
  aheadMs: number,
  refusedMs = Number.POSITIVE_INFINITY,
): Finding {
  const seconds = Math.round(Math.abs(aheadMs) / 1000)
  const detail = `its clock and this machine's are ${seconds} s apart`
  if (Math.abs(aheadMs) < noticeableMs) return { subject, verdict: "ok", detail }
  const verdict = Math.abs(aheadMs) < refusedMs ? "warning" : "failed"
  return {
    subject,
    verdict,
    detail,
    advice: "Let this machine follow a time server (timedatectl set-ntp true).",
  }
}

/** An error in words: ours say what to do, others' what they saw. Causes aren't shown, for they may hold addresses. */
export const wordsOf = (error: unknown): string =>
  error instanceof Error ? error.message.split("\n")[0] || error.name : String(error)
