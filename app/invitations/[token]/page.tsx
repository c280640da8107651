import { getTranslations } from "next-intl/server"
import { requireUser } from "#lib/chat/current.ts"
import { Button } from "../../_components/button.tsx"
import { NoticePage } from "../../_components/notice-page.tsx"
import { acceptInvitation } from "../../actions.ts"

interface Props {
  params: Promise<{ token: string }>
  searchParams: Promise<{ unknown?: string }>
}

/** Joining is a button and not the visit itself: a preview of the link by somebody's mail program joins nothing. */
export default async function InvitationPage({ params, searchParams }: Props) {
  const { token } = await params
  await requireUser(`/invitations/${token}`)
  const t = await getTranslations()
  if ((await searchParams).unknown) {
    return <NoticePage title={t("missing.title")} lead={t("missing.invitation")} back={t("missing.back")} />
  }
  return (
    <NoticePage title={t("invitation.title")} lead={t("invitation.lead")}>
      <form action={acceptInvitation}>
        <input type="hidden" name="token" value={token} />
        <Button type="submit" look="primary">
          {t("invitation.accept")}
        </Button>
      </form>
    </NoticePage>
  )
}
