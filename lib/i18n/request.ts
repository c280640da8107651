import { cookies, headers } from "next/headers"
import { getRequestConfig } from "next-intl/server"
import { chooseLocale, localeCookie } from "./locales.ts"

export default getRequestConfig(async () => {
  const locale = chooseLocale(
    (await cookies()).get(localeCookie)?.value,
    (await headers()).get("accept-language"),
  )
  const { default: messages } =
    locale === "ja" ? await import("./messages/ja.json") : await import("./messages/en.json")
  return { locale, messages, timeZone: "UTC" }
})
