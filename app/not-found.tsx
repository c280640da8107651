import { getTranslations } from "next-intl/server"
import { NoticePage } from "./_components/notice-page.tsx"

export default async function NotFound() {
  const t = await getTranslations("missing")
  return <NoticePage title={t("title")} lead={t("lead")} back={t("back")} />
}
