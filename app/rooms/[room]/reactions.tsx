"use client"
import { Tooltip } from "@base-ui/react/tooltip"
import { clsx } from "clsx"
import { useFormatter, useTranslations } from "next-intl"
import type { Said, Sender } from "#lib/chat/conversation.ts"
import { useRoomActions } from "./room-actions.ts"
import { useMarkedName } from "./room-people.tsx"

/** So many names are listed; the others are counted. */
const maxNames = 12

/** What to call those who reacted: oneself first, the others in their order. */
export function useReactors(): (people: readonly Sender[]) => string[] {
  const t = useTranslations("messages")
  const { me } = useRoomActions()
  const marked = useMarkedName()
  return (people) => {
    const others = people.filter(({ id }) => id !== me.id)
    const names = others.map(({ id, name }) => marked(id, name ?? t("somebody")))
    return others.length < people.length ? [t("you"), ...names] : names
  }
}

/** Each emoji with how many and who; a click adds one's own or takes it back. */
export function Reactions({ said }: { said: Said }) {
  const t = useTranslations("messages")
  const format = useFormatter()
  const { me, react } = useRoomActions()
  const namesOf = useReactors()
  return (
    <ul aria-label={t("reactions")} className="flex flex-wrap gap-1">
      {said.reactions.map(({ emoji, people }) => {
        const isMine = people.some(({ id }) => id === me.id)
        const named = namesOf(people)
        const shown = named.slice(0, maxNames)
        if (named.length > maxNames) shown.push(t("others", { count: named.length - maxNames }))
        const who = format.list(shown)
        return (
          <li key={emoji}>
            <Tooltip.Root>
              <Tooltip.Trigger
                render={
                  <button
                    type="button"
                    aria-pressed={isMine}
                    aria-label={t("reactedBy", { emoji, who })}
                    onClick={() => react(said, emoji)}
                    className={clsx(
                      "touchable flex min-h-7 min-w-10 items-center justify-center gap-1 rounded-full border px-2 text-xs tabular-nums transition-colors",
                      isMine
                        ? "border-accent bg-accent-soft font-semibold text-text"
                        : "border-line bg-surface text-muted hover:border-muted",
                    )}
                  >
                    <span aria-hidden="true" className="text-sm leading-none">
                      {emoji}
                    </span>
                    {people.length}
                  </button>
                }
              />
              <Tooltip.Portal>
                <Tooltip.Positioner sideOffset={6} className="z-50">
                  <Tooltip.Popup className="max-w-64 rounded-xl bg-text px-3 py-1.5 text-background text-xs shadow-(--shadow)">
                    {who}
                  </Tooltip.Popup>
                </Tooltip.Positioner>
              </Tooltip.Portal>
            </Tooltip.Root>
          </li>
        )
      })}
    </ul>
  )
}
