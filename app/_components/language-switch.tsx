"use client"
import { useRouter } from "next/navigation"
import { useLocale, useTranslations } from "next-intl"
import { useTransition } from "react"
import { setLocale } from "../actions.ts"
import { Button } from "./button.tsx"
import { answerOr, useRefusalText } from "./server-action.tsx"
import { toast } from "./toast.tsx"

/** Each language is called what its speakers call it. */
const names = { en: "English", ja: "日本語" } as const

/** Changes the language of this browser, or says why it isn't changed. */
export function useLocaleChange(set = setLocale): (locale: keyof typeof names) => Promise<void> {
  const refusalText = useRefusalText()
  const router = useRouter()
  return async (locale) => {
    const refusal = await answerOr(set(locale), (unreached) => unreached)
    if (refusal) toast(refusalText(refusal))
    else router.refresh()
  }
}

export function LanguageSwitch() {
  const t = useTranslations("settings")
  const changeLocale = useLocaleChange()
  const [isPending, start] = useTransition()
  const other = useLocale() === "ja" ? "en" : "ja"
  const change = () => start(() => changeLocale(other))
  return (
    <Button
      look="quiet"
      className="whitespace-nowrap"
      lang={other}
      onClick={change}
      disabled={isPending}
      aria-label={`${t("language")}: ${names[other]}`}
    >
      {names[other]}
    </Button>
  )
}
