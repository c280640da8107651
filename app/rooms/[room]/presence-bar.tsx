"use client"
import { useTranslations } from "next-intl"
import type { RoomDefinition } from "#lib/chat/channels.ts"
import type { PresenceState } from "#realtime/client"
import { Avatar } from "../../_components/avatar.tsx"
import { useMe } from "../../_components/chat-provider.tsx"

const maxShown = 4

/** The people in the room, by their signs; each one's name and state is said to those who don't see them. */
export function PresenceBar({ presence }: { presence: PresenceState<RoomDefinition> | null }) {
  const t = useTranslations()
  const me = useMe()
  if (!presence) return null
  const { count, members } = presence
  const shown = members?.slice(0, maxShown) ?? []
  const nameOf = (user: { id: string; name?: string }) => {
    const name = user.name ?? t("messages.somebody")
    return user.id === me.id ? t("presence.you", { name }) : name
  }
  return (
    <div className="flex items-center gap-2">
      <ul aria-label={t("presence.label")} className="hidden -space-x-2 sm:flex">
        {shown.map(({ user, data }) => {
          const label = `${nameOf(user)}, ${t(`presence.${data.status}`)}`
          return (
            <li key={user.id} title={label} className="rounded-full ring-2 ring-surface">
              <Avatar id={user.id} name={user.name ?? "?"} size={30} isAway={data.status === "away"} />
              <span className="sr-only">{label}</span>
            </li>
          )
        })}
      </ul>
      <span data-testid="presence-count" className="whitespace-nowrap text-muted text-xs">
        {t("rooms.members", { count })}
      </span>
    </div>
  )
}
