import { Hourglass, MonitorSmartphone, Unlink } from "lucide-react"
import { redirect } from "next/navigation"
import { getFormatter, getTranslations } from "next-intl/server"
import { getSession, refuseAddress } from "#lib/chat/current.ts"
import { deviceLinkMinutes } from "#lib/chat/device-link.ts"
import { lobbyId } from "#lib/chat/lobby.ts"
import { isolated } from "#lib/i18n/isolated.ts"
import { whenIn } from "#lib/i18n/when.ts"
import { getChat } from "#lib/realtime/server.ts"
import { NoticePage } from "../../_components/notice-page.tsx"
import { EnterForm } from "./enter-form.tsx"

interface Props {
  params: Promise<{ token: string }>
}

/**
 * The way in on one more device. Coming in is a button and not the visit itself: a preview of the link uses nothing up, and nobody is
 * somebody else by following a link.
 */
export default async function DevicePage({ params }: Props) {
  const { token } = await params
  const t = await getTranslations()
  const back = t("missing.back")
  const refusal = await refuseAddress("invitations tried from an address")
  if (refusal) {
    const lead = t("app.tooMuch", { when: whenIn(await getFormatter(), refusal.retryAfterMs) })
    return <NoticePage icon={Hourglass} title={t("device.title")} lead={lead} back={back} />
  }
  const { user: here } = await getSession()
  const { deviceLinks } = await getChat()
  const owner = await deviceLinks.find(token)
  if (here && (!owner || here.id === owner.id)) redirect(`/rooms/${lobbyId}`)
  if (!owner) {
    const lead = t("device.goneLead", { minutes: deviceLinkMinutes })
    return <NoticePage icon={Unlink} title={t("device.gone")} lead={lead} back={t("device.toDoor")} />
  }
  const name = isolated(owner.name ?? "")
  if (here) {
    const lead = t("device.takenLead", { here: isolated(here.name ?? ""), name })
    return <NoticePage icon={MonitorSmartphone} title={t("device.taken")} lead={lead} back={back} />
  }
  return (
    <NoticePage
      icon={MonitorSmartphone}
      title={t("device.enterTitle", { name })}
      lead={t("device.enterLead")}
      back={t("device.toDoor")}
    >
      <EnterForm token={token} label={t("device.enter", { name })} />
    </NoticePage>
  )
}
