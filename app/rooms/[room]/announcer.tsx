"use client"
import { useTranslations } from "next-intl"
import { useEffect, useRef, useState } from "react"
import type { Conversation, ConversationItem, PendingRoomMessage, Said } from "#lib/chat/conversation.ts"
import { useExcerpt } from "./quote.tsx"
import { useMarkedName } from "./room-people.tsx"

/** What comes within this time is said together: a lively room must not talk over its reader. */
const gatherMs = 1_000

interface Props {
  conversation: Conversation
  pending: readonly PendingRoomMessage[]
  myId: string
}

/** Says to a screen reader what others have said since the room was opened, and what of one's own doesn't get through. */
export function Announcer({ conversation, pending, myId }: Props) {
  const { items } = conversation
  const t = useTranslations("messages")
  const app = useTranslations("app")
  const stuck = useStuck(conversation, pending)
  const excerpt = useExcerpt()
  const marked = useMarkedName()
  const newest = items.findLast(({ seq }) => seq !== null)?.seq ?? 0
  const announced = useRef(newest)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const [text, setText] = useState("")

  const announce = useRef(() => {})
  announce.current = () => {
    timer.current = undefined
    const isNew = (item: ConversationItem): item is Said =>
      item.kind === "said" && item.seq !== null && item.seq > announced.current && item.sender.id !== myId
    const arrived = items.filter(isNew)
    announced.current = newest
    const last = arrived.at(-1)
    const name = last && marked(last.sender.id, last.sender.name ?? t("somebody"))
    const sentences = stuck()
    if (last && name) {
      sentences.push(
        arrived.length === 1
          ? t("announceOne", { name, text: excerpt(last) })
          : t("announceMany", { count: arrived.length, name }),
      )
    }
    if (sentences.length === 0) return
    const next = sentences.reduce((first, next) => app("sentences", { first, next }))
    // The same sentence again is no change, which would not be said; with a space behind it is one.
    setText((before) => (before === next ? `${next}\u00a0` : next))
  }

  const isStuck = pending.some(({ state }) => state !== "sent" && state !== "sending")
  useEffect(() => {
    if (newest > announced.current || isStuck)
      timer.current ??= setTimeout(() => announce.current(), gatherMs)
  }, [newest, isStuck, pending])
  useEffect(
    () => () => {
      clearTimeout(timer.current)
      timer.current = undefined
    },
    [],
  )

  return (
    <p aria-live="polite" data-testid="announcer" className="sr-only">
      {text}
    </p>
  )
}

/** What of one's own waits, or was refused, and hasn't been said to be yet, and what was and is sent by now: a sentence for each state. */
function useStuck({ find }: Conversation, pending: readonly PendingRoomMessage[]): () => string[] {
  const t = useTranslations("messages")
  const errors = useTranslations("errors")
  const excerpt = useExcerpt()
  const told = useRef(new Map<string, PendingRoomMessage["state"]>())
  // What is tried again may be refused again.
  for (const { id, state } of pending)
    if (state === "sending" && told.current.get(id) === "refused") told.current.delete(id)

  return () => {
    const isNew = ({ id, state }: PendingRoomMessage) => told.current.get(id) !== state
    const waits = new Set(pending.map(({ id }) => id))
    const gone = [...told.current].filter(([id, state]) => stuckStates.has(state) && !waits.has(id))
    // What was thrown away isn't there any more, and a change has no place of its own.
    const sent = gone.flatMap(([id]) => find(id) ?? []).filter(({ seq }) => seq !== null)
    const news = sent.length === 1 ? excerpt(sent[0] ?? null) : t("announceCount", { count: sent.length })
    const settled = sent.length > 0 ? [t("announceOne", { name: t("sent"), text: news })] : []
    const sentences = (["queued", "failed", "refused"] as const).flatMap((state) => {
      const those = pending.filter((message) => message.state === state && isNew(message))
      const first = those[0]
      if (!first) return []
      const { event, id, payload, error } = first
      const what = state === "refused" && event !== "text-sent" ? t("notChanged") : t(state)
      const said = find(payload && "target" in payload ? payload.target : id)
      const text = those.length === 1 ? excerpt(said) : t("announceCount", { count: those.length })
      return [`${t("announceOne", { name: what, text })}${error ? ` · ${errors(error.code)}` : ""}`]
    })
    const toldBefore = told.current
    // That it is on its way isn't said: what was said of it stands until it is here, or doesn't get through.
    const standing = ({ id, state }: PendingRoomMessage) =>
      stuckStates.has(state) ? state : (toldBefore.get(id) ?? state)
    told.current = new Map(pending.map((message) => [message.id, standing(message)]))
    return [...settled, ...sentences]
  }
}

const stuckStates = new Set<PendingRoomMessage["state"]>(["queued", "failed", "refused"])
