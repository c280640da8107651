"use client"
import { MessagesSquare } from "lucide-react"
import { useTranslations } from "next-intl"
import { useConnection } from "throughline/react"
import { lobbyId } from "#lib/chat/lobby.ts"
import { isolated } from "#lib/i18n/isolated.ts"
import { useMe } from "../../_components/chat-provider.tsx"
import { Introduction } from "../../_components/introduction.tsx"
import { useCurrentRoom } from "../../_components/room-activity.tsx"

/** Where nobody has said anything: how to begin; in the lobby, where newcomers arrive, what all of this is. */
export function EmptyRoom() {
  const t = useTranslations()
  const me = useMe()
  const { provider } = useConnection()
  if (useCurrentRoom() === lobbyId) {
    return (
      <section className="mx-auto my-auto grid w-full max-w-lg gap-5 py-6">
        <div>
          <h2 className="font-semibold text-2xl tracking-tight">
            {t("welcome.firstTitle", { name: isolated(me.name) })}
          </h2>
          <p className="mt-1 text-pretty text-muted">{t("welcome.firstLead")}</p>
        </div>
        <Introduction providers={[provider]} />
      </section>
    )
  }
  return (
    <section className="mx-auto my-auto grid max-w-sm justify-items-center gap-3 py-10 text-center">
      <span
        aria-hidden="true"
        className="grid size-14 place-items-center rounded-full bg-accent-soft text-accent"
      >
        <MessagesSquare size={26} />
      </span>
      <h2 className="font-semibold text-lg tracking-tight">{t("welcome.emptyTitle")}</h2>
      <p className="text-pretty text-muted text-sm">
        {t("welcome.emptyLead", { invite: t("rooms.invite") })}
      </p>
    </section>
  )
}
