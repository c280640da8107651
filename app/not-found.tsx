import { Compass } from "lucide-react"
import { getTranslations } from "next-intl/server"
import { NoticePage } from "./_components/notice-page.tsx"

export default async function NotFound() {
  const t = await getTranslations()
  return (
    <NoticePage
      icon={Compass}
      title={t("missing.title")}
      lead={t("pages.notFoundLead")}
      back={t("missing.back")}
    />
  )
}
