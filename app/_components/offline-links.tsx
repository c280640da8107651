"use client"
import { useRouter } from "next/navigation"
import { useTranslations } from "next-intl"
import { useEffect, useRef } from "react"
import { ownPath } from "#lib/security/own-path.ts"
import { toast } from "./toast.tsx"

/** The page of this site that a click would lead to in this tab; null where it leads elsewhere, or nowhere. */
function destinationOf(event: MouseEvent): string | null {
  if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return null
  const link = event.target instanceof Element ? event.target.closest("a") : null
  if (!link?.href || link.hasAttribute("download") || (link.target !== "" && link.target !== "_self"))
    return null
  const path = ownPath(link.href, location.origin)
  const isHere = path?.split("#")[0] === location.pathname + location.search
  return path === undefined || isHere ? null : path
}

/**
 * Without a network a link would end on the browser's own error page, and take along what is on this one. So it waits: the page opens
 * once the network is back.
 */
export function OfflineLinks() {
  const t = useTranslations("app")
  const router = useRouter()
  const awaited = useRef<string | null>(null)

  useEffect(() => {
    const onClick = (event: MouseEvent) => {
      if (navigator.onLine) return
      const destination = destinationOf(event)
      if (!destination) return
      event.preventDefault()
      event.stopPropagation()
      awaited.current = destination
      toast(t("offlineLink"))
    }
    const onOnline = () => {
      if (awaited.current) router.push(awaited.current)
      awaited.current = null
    }
    // Before the page's own listeners, which would begin to go there.
    document.addEventListener("click", onClick, { capture: true })
    window.addEventListener("online", onOnline)
    return () => {
      document.removeEventListener("click", onClick, { capture: true })
      window.removeEventListener("online", onOnline)
    }
  }, [router, t])

  return null
}
