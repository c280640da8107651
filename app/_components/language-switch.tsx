"use client"
import { useRouter } from "next/navigation"
import { useLocale, useTranslations } from "next-intl"
import { useTransition } from "react"
import { setLocale } from "../actions.ts"
import { Button } from "./button.tsx"
import { answerOr } from "./server-action.tsx"
import { toast } from "./toast.tsx"

/** Each language is called what its speakers call it. */
const names = { en: "English", ja: "日本語" } as const

/** False where the server wasn't reached. */
export const changeLocale = (locale: keyof typeof names) =>
  answerOr(
    setLocale(locale).then(() => true),
    () => false,
  )

export function LanguageSwitch() {
  const t = useTranslations("settings")
  const router = useRouter()
  const [isPending, start] = useTransition()
  const other = useLocale() === "ja" ? "en" : "ja"
  const change = () =>
    start(async () => {
      if (await changeLocale(other)) router.refresh()
      else toast(t("notChanged"))
    })
  return (
    <Button
      look="quiet"
      lang={other}
      onClick={change}
      disabled={isPending}
      aria-label={`${t("language")}: ${names[other]}`}
    >
      {names[other]}
    </Button>
  )
}
