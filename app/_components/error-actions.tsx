"use client"
import { unstable_isUnrecognizedActionError, useRouter } from "next/navigation"
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
  const ofSession = useTranslations("sessionEnd")
  if (isOutdated(error)) return { title: ofSession("outdatedTitle"), lead: ofSession("outdatedLead") }
  if (!isForeignForm(error)) return { title: t("errorTitle"), lead: t("errorLead") }
  const { origin } = window.location
  return { title: t("addressTitle"), lead: t("addressLead", { origin }) }
}

/** The server knows no such action: it is of another build than the page, whose key for actions was another one. */
const isOutdated = (error: unknown) => unstable_isUnrecognizedActionError(error)

/** What to do about a page that failed: try again, then reload; and what to tell whoever can do more. */
export function ErrorActions({ error, reset }: ErrorProps) {
  const { digest } = error
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
        {isOutdated(error) ? (
          <Button look="primary" onClick={() => window.location.reload()}>
            {t("sessionEnd.reload")}
          </Button>
        ) : (
          <>
            <Button look="primary" onClick={retry}>
              {t("broken.retry")}
            </Button>
            <Button onClick={() => window.location.reload()}>{t("pages.errorReload")}</Button>
          </>
        )}
      </div>
      {digest && <p className="text-muted text-xs">{t("pages.errorCode", { code: digest })}</p>}
    </>
  )
}
