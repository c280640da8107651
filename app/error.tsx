"use client"
import { CloudAlert } from "lucide-react"
import { useTranslations } from "next-intl"
import { ErrorActions, type ErrorProps } from "./_components/error-actions.tsx"
import { NoticePage } from "./_components/notice-page.tsx"

export default function ErrorPage(props: ErrorProps) {
  const t = useTranslations("pages")
  return (
    <NoticePage icon={CloudAlert} title={t("errorTitle")} lead={t("errorLead")}>
      <ErrorActions {...props} />
    </NoticePage>
  )
}
