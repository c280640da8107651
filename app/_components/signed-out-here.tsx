"use client"
import { useTranslations } from "next-intl"
import { useEffect, useState } from "react"
import { signedOutCookie } from "#lib/chat/signed-out-cookie.ts"

/** Says once that the guest was signed out in this browser alone. It stays until the page is left, also when that is rendered again. */
export function SignedOutHere({ isNews }: { isNews: boolean }) {
  const t = useTranslations("welcome")
  const [wasNews, setWasNews] = useState(isNews)
  if (isNews && !wasNews) setWasNews(true)
  useEffect(() => {
    // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API isn't in every browser that we serve.
    if (isNews) document.cookie = `${signedOutCookie}=; Path=/; Max-Age=0`
  }, [isNews])
  if (!wasNews) return null
  return (
    <p role="status" className="mb-6 text-pretty text-bad text-sm">
      {t("signedOutHere")}
    </p>
  )
}
