/** Where the reader is, as their browser told it: pages come with the right times from the second one on. */
export const timeZoneCookie = "time_zone"

/** The zone of a cookie, if it is one; UTC until the browser has told. */
export function parseTimeZone(value: string | undefined): string {
  if (!value) return "UTC"
  try {
    return new Intl.DateTimeFormat("en", { timeZone: value }).resolvedOptions().timeZone
  } catch {
    // A RangeError: somebody made it up, or their browser knows a zone that this server doesn't.
    return "UTC"
  }
}
