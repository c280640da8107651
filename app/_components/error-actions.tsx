"use client"
import { useRouter } from "next/navigation"
import { useTranslations } from "next-intl"
import { startTransition } from "react"
import { isForeignForm } from "#lib/security/foreign-form.ts"
import { Button } from "./button.tsx"

/** What Next.js hands to an error page. */
export interface ErrorProps {
  error: Error & { digest?: string }
  reset(): void
}

/** What to say of it. */
export function useErrorText({ error }: ErrorProps): { title: string; lead: string } {
  const t = useTranslations("pages")
  if (!isForeignForm(error)) return { title: t("errorTitle"), lead: t("errorLead") }
  const { origin } = window.location
  return { title: t("addressTitle"), lead: t("addressLead", { origin }) }
}

/** What to do about a page that failed: try again, then reload; and what to tell whoever can do more. */
export function ErrorActions({ error: { digest }, reset }: ErrorProps) {
  const t = useTranslations()
  const router = useRouter()
  // What failed on the server is asked of it again, which `reset` alone doesn't do.
  const retry = () =>
    startTransition(() => {
      router.refresh()
      reset()
    })
  return (
    <>
      <div className="flex flex-wrap justify-center gap-2">
        <Button look="primary" onClick={retry}>
          {t("broken.retry")}
        </Button>
        <Button onClick={() => window.location.reload()}>{t("pages.errorReload")}</Button>
      </div>
      {digest && <p className="text-muted text-xs">{t("pages.errorCode", { code: digest })}</p>}
    </>
  )
}
