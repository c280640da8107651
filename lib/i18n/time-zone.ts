/** Where the reader is, as their browser told it: pages come with the right times from the second one on. */
export const timeZoneCookie = "time_zone"

/** The zone that a cookie or a browser names, if it is one; UTC until somebody has told, which is what a browser without one counts in. */
export function parseTimeZone(value: string | undefined): string {
  if (!value) return "UTC"
  try {
    return new Intl.DateTimeFormat("en", { timeZone: value }).resolvedOptions().timeZone
  } catch {
    // A RangeError: somebody made it up, or their browser knows a zone that this server doesn't.
    return "UTC"
  }
}
