"use client"
import { useTranslations } from "next-intl"
import { Button } from "./_components/button.tsx"
import { NoticePage } from "./_components/notice-page.tsx"

export default function ErrorPage({ reset }: { reset: () => void }) {
  const t = useTranslations("broken")
  return (
    <NoticePage title={t("title")} lead={t("lead")}>
      <Button look="primary" onClick={reset}>
        {t("retry")}
      </Button>
    </NoticePage>
  )
}
