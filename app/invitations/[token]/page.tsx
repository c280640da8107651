import { Hourglass, MailOpen, MailQuestionMark, UserRoundX } from "lucide-react"
import { redirect } from "next/navigation"
import { getFormatter, getTranslations } from "next-intl/server"
import { refuseAddress, requireUser } from "#lib/chat/current.ts"
import { invitationDays } from "#lib/chat/invitation.ts"
import { lobbyId } from "#lib/chat/lobby.ts"
import { isolated } from "#lib/i18n/isolated.ts"
import { whenIn } from "#lib/i18n/when.ts"
import { getChat } from "#lib/realtime/server.ts"
import { Button } from "../../_components/button.tsx"
import { NoticePage } from "../../_components/notice-page.tsx"
import { ActionForm } from "../../_components/server-action.tsx"
import { acceptInvitation } from "../../actions.ts"

interface Props {
  params: Promise<{ token: string }>
}

/**
 * What an invitation opens, and who gave it. Joining is a button and not the visit itself: a preview of the link by somebody's mail
 * program joins nothing.
 */
export default async function InvitationPage({ params }: Props) {
  const { token } = await params
  const user = await requireUser(`/invitations/${token}`)
  const t = await getTranslations()
  const back = t("missing.back")
  const refusal = await refuseAddress("invitations tried from an address")
  if (refusal) {
    const lead = t("app.tooMuch", { when: whenIn(await getFormatter(), refusal.retryAfterMs) })
    return <NoticePage icon={Hourglass} title={t("invitation.title")} lead={lead} back={back} />
  }
  const { rooms } = await getChat()
  const found = await rooms.invitation(token)
  if (!found || found === "expired") {
    const [title, lead] = found
      ? [t("invitation.expired"), t("invitation.expiredLead", { days: invitationDays })]
      : [t("missing.invitation"), t("invitation.unknownLead")]
    return <NoticePage icon={MailQuestionMark} title={title} lead={lead} back={back} />
  }
  const { room, invitedBy } = found
  if (await rooms.isMember(user.id, room.id)) redirect(`/rooms/${room.id}`)
  const name = room.id === lobbyId ? t("rooms.lobby") : isolated(room.name)
  if (await rooms.isKeptOut(user.id, room.id)) {
    const title = t("rooms.keptOutTitle", { room: name })
    return <NoticePage icon={UserRoundX} title={title} lead={t("rooms.keptOutLead")} back={back} />
  }
  const kind = t(room.isPrivate ? "invitation.leadPrivate" : "invitation.leadPublic")
  const by = invitedBy && t("invitation.by", { name: isolated(invitedBy) })
  return (
    <NoticePage
      icon={MailOpen}
      title={t("invitation.titleTo", { room: name })}
      lead={by ? t("app.sentences", { first: by, next: kind }) : kind}
      back={back}
    >
      <ActionForm owner={user.id} action={acceptInvitation} className="grid justify-items-center gap-3">
        <input type="hidden" name="token" value={token} />
        <Button type="submit" look="primary" className="min-h-11">
          {t("invitation.accept")}
        </Button>
      </ActionForm>
    </NoticePage>
  )
}
