"use client"
import { useTimeZone as useServerTimeZone } from "next-intl"
import { useEffect, useState } from "react"
import { parseTimeZone, timeZoneCookie } from "#lib/i18n/time-zone.ts"

const aYear = 365 * 86_400

/** Where the reader is: as the server knew it, until the browser says better, which the server then remembers. */
export function useTimeZone(): string {
  const [timeZone, setTimeZone] = useState(useServerTimeZone() ?? "UTC")
  useEffect(() => {
    const here = parseTimeZone(Intl.DateTimeFormat().resolvedOptions().timeZone)
    setTimeZone(here)
    // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API isn't in every browser
    document.cookie = `${timeZoneCookie}=${here}; path=/; max-age=${aYear}; samesite=lax`
  }, [])
  return timeZone
}
