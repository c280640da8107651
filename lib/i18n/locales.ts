export const locales = ["en", "ja"] as const
export type Locale = (typeof locales)[number]

export const localeCookie = "locale"

export const isLocale = (value: unknown): value is Locale => locales.some((locale) => locale === value)

/**
 * The reader's language: what they chose, or else the first of their browser's languages that there is. One address
 * serves both, so that a link to a room opens in the language of whoever follows it.
 */
export function chooseLocale(chosen: string | undefined, acceptLanguage: string | null): Locale {
  if (isLocale(chosen)) return chosen
  const wanted = (acceptLanguage ?? "")
    .split(",")
    .map((entry) => {
      const [tag = "", ...parameters] = entry.trim().split(";")
      const quality = parameters.find((parameter) => parameter.trim().startsWith("q="))
      return {
        language: tag.split("-")[0]?.toLowerCase(),
        quality: quality ? Number(quality.trim().slice(2)) : 1,
      }
    })
    .sort((a, b) => b.quality - a.quality)
  const found = wanted.find(({ language, quality }) => isLocale(language) && quality > 0)?.language
  return isLocale(found) ? found : "en"
}
