/** Making one costs more than formatting with it; a page has one reader, who is in one place. */
let last: { timeZone: string; format: Intl.DateTimeFormat } | undefined

function formatOf(timeZone: string): Intl.DateTimeFormat {
  if (last?.timeZone !== timeZone) {
    const parts = { year: "numeric", month: "2-digit", day: "2-digit" } as const
    last = { timeZone, format: new Intl.DateTimeFormat("en-US", { timeZone, ...parts }) }
  }
  return last.format
}

/** The day of a moment where the reader is, as in `2026-11-29`. */
export function dayOf(at: number, timeZone: string): string {
  // By its parts: the order in which a language writes them is its own, and changes from browser to browser.
  const parts = formatOf(timeZone).formatToParts(at)
  const part = (wanted: "year" | "month" | "day") => parts.find(({ type }) => type === wanted)?.value
  return `${part("year")}-${part("month")}-${part("day")}`
}

/** The day before a day. 24 hours earlier may be another one, where clocks were changed; in UTC they never are. */
export const dayBefore = (day: string): string =>
  new Date(Date.parse(`${day}T00:00Z`) - 86_400_000).toISOString().slice(0, 10)
