"use client"
import { RefreshCw, UserRoundX } from "lucide-react"
import { useTranslations } from "next-intl"
import { type ReactNode, useEffect } from "react"
import { useConnection, useRealtimeClient } from "throughline/react"
import { isolated } from "#lib/i18n/isolated.ts"
import { Button } from "./button.tsx"
import { NoticePage } from "./notice-page.tsx"
import { onSessionTold } from "./session-news.tsx"

/**
 * What belongs to one person, for as long as they are signed in and the server understands the page. After that the screen
 * says so, and shows nothing of theirs.
 */
export function SessionGuard({
  user,
  children,
}: {
  user: { id: string; name: string }
  children: ReactNode
}) {
  const t = useTranslations("sessionEnd")
  const client = useRealtimeClient()
  const { error } = useConnection()
  // What a tab tells is a reason to ask; the server's answer decides.
  useEffect(
    () => onSessionTold((userId) => void (userId !== user.id && client.checkSession())),
    [client, user.id],
  )
  const reload = (
    <Button look="primary" onClick={() => window.location.reload()}>
      {t("reload")}
    </Button>
  )
  if (error?.code === "page-outdated") {
    return (
      <NoticePage icon={RefreshCw} title={t("outdatedTitle")} lead={t("outdatedLead")}>
        {reload}
      </NoticePage>
    )
  }
  if (error?.code !== "session-changed") return children
  const name = isolated(user.name)
  return (
    <NoticePage icon={UserRoundX} title={t("title", { name })} lead={t("lead", { name })}>
      {reload}
    </NoticePage>
  )
}
