import { cookies, headers } from "next/headers"
import { getRequestConfig } from "next-intl/server"
import { chooseLocale, localeCookie } from "./locales.ts"
import { parseTimeZone, timeZoneCookie } from "./time-zone.ts"

export default getRequestConfig(async () => {
  const store = await cookies()
  const locale = chooseLocale(store.get(localeCookie)?.value, (await headers()).get("accept-language"))
  const { default: messages } =
    locale === "ja" ? await import("./messages/ja.json") : await import("./messages/en.json")
  return { locale, messages, timeZone: parseTimeZone(store.get(timeZoneCookie)?.value) }
})
