"use client"
import { CloudAlert } from "lucide-react"
import { useTranslations } from "next-intl"
import { ErrorActions, type ErrorProps } from "../_components/error-actions.tsx"
import { NoticeInShell } from "../_components/notice-in-shell.tsx"

/** A room that couldn't be shown; the list of the others stays. */
export default function RoomError(props: ErrorProps) {
  const t = useTranslations("pages")
  return (
    <NoticeInShell icon={CloudAlert} title={t("errorTitle")} lead={t("errorLead")}>
      <ErrorActions {...props} />
    </NoticeInShell>
  )
}
