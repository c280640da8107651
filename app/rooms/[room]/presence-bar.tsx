"use client"
import { Popover } from "@base-ui/react/popover"
import { Users } from "lucide-react"
import { useTranslations } from "next-intl"
import type { PresenceState } from "throughline/client"
import type { RoomDefinition } from "#lib/chat/channels.ts"
import { isolated } from "#lib/i18n/isolated.ts"
import { Avatar } from "../../_components/avatar.tsx"
import { useMe } from "../../_components/chat-provider.tsx"
import { NameMark, useMarkedName } from "./room-people.tsx"

const maxShown = 4

interface Props {
  presence: PresenceState<RoomDefinition> | null
}

/** The people in the room: some by their signs, as far as there is room for them, and behind their number everybody by name. */
export function PresenceBar({ presence }: Props) {
  const t = useTranslations()
  const me = useMe()
  const marked = useMarkedName()
  if (!presence) return null
  const shown = presence.members?.slice(0, maxShown) ?? []
  const nameOf = (user: { id: string; name?: string }) => {
    const name = marked(user.id, user.name ?? t("messages.somebody"))
    return user.id === me.id ? t("presence.you", { name }) : name
  }
  return (
    <div className="flex items-center gap-2">
      <ul aria-label={t("presence.label")} className="hidden -space-x-2 sm:flex">
        {shown.map(({ user, data }) => {
          const label = `${nameOf(user)}, ${t(`presence.${data.status}`)}`
          return (
            <li key={user.id} title={label} className="rounded-full bg-surface ring-2 ring-surface">
              <Avatar id={user.id} name={user.name ?? "?"} size={30} isAway={data.status === "away"} />
              <span className="sr-only">{label}</span>
            </li>
          )
        })}
      </ul>
      <Everybody presence={presence} />
    </div>
  )
}

function Everybody({ presence: { count, members } }: { presence: PresenceState<RoomDefinition> }) {
  const t = useTranslations()
  const me = useMe()
  return (
    <Popover.Root>
      <Popover.Trigger
        data-testid="presence-count"
        className="touchable -mx-1.5 flex min-h-8 items-center gap-1 whitespace-nowrap rounded-md px-1.5 text-muted text-xs hover:bg-raised hover:text-text"
      >
        {/* A phone's width is the room's name's. */}
        <Users size={14} aria-hidden="true" className="sm:hidden" />
        <span aria-hidden="true" className="tabular-nums sm:hidden">
          {count}
        </span>
        <span className="max-sm:sr-only">{t("rooms.members", { count })}</span>
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Positioner align="end" sideOffset={6} collisionPadding={8} className="z-50">
          <Popover.Popup className="grid max-h-[min(28rem,var(--available-height))] w-72 max-w-[calc(100vw-1rem)] gap-2 overflow-y-auto rounded-2xl border border-line bg-surface p-4 text-sm shadow-(--shadow) outline-none transition data-ending-style:opacity-0 data-starting-style:opacity-0">
            <Popover.Title className="font-semibold">{t("presence.everybody")}</Popover.Title>
            {members ? (
              <ul aria-label={t("presence.everybody")}>
                {members.map(({ user, data }) => {
                  const name = user.name ?? t("messages.somebody")
                  return (
                    <li key={user.id} className="flex min-h-10 items-center gap-2.5">
                      <Avatar id={user.id} name={name} size={28} isAway={data.status === "away"} />
                      <span className="min-w-0 truncate">
                        {user.id === me.id ? t("presence.you", { name: isolated(name) }) : isolated(name)}
                      </span>
                      <NameMark id={user.id} />
                      <span className="ml-auto shrink-0 text-muted text-xs">
                        {t(`presence.${data.status}`)}
                      </span>
                    </li>
                  )
                })}
              </ul>
            ) : (
              <p className="text-pretty text-muted">{t("presence.tooMany")}</p>
            )}
          </Popover.Popup>
        </Popover.Positioner>
      </Popover.Portal>
    </Popover.Root>
  )
}
