"use client"
import { useTranslations } from "next-intl"
import { useCallback, useEffect, useRef, useState } from "react"
import type { ChannelRef } from "throughline"
import { useSignal } from "throughline/react"
import type { RoomDefinition } from "#lib/chat/channels.ts"
import { who } from "../../_components/who.tsx"
import { useMarkedName } from "./room-people.tsx"

interface Typist {
  id: string
  name: string
  until: number
}

/** A signal counts for this long: whoever closes their page in the middle of a word stops typing by themselves. */
const lastsMs = 5_000
/** Whoever goes on typing says so again, before that is over. */
const repeatMs = 3_000

/** Who is typing, and how to say that one is. Never oneself. */
export function useTyping(ref: ChannelRef<RoomDefinition>, myId: string) {
  const [typists, setTypists] = useState<Typist[]>([])
  const lastSent = useRef(0)

  const signal = useSignal(ref, "typing", ({ from, payload }) => {
    if (from.id === myId) return
    setTypists((before) => {
      const others = before.filter(({ id }) => id !== from.id)
      return payload.isTyping
        ? [...others, { id: from.id, name: from.name ?? "", until: Date.now() + lastsMs }]
        : others
    })
  })

  useEffect(() => {
    if (typists.length === 0) return
    const soonest = Math.min(...typists.map(({ until }) => until))
    const expire = () => setTypists((before) => before.filter(({ until }) => until > Date.now()))
    const timer = setTimeout(expire, Math.max(0, soonest - Date.now()) + 1)
    return () => clearTimeout(timer)
  }, [typists])

  const started = useCallback(() => {
    const now = Date.now()
    if (now - lastSent.current < repeatMs) return
    lastSent.current = now
    void signal({ isTyping: true }).then((hasLeft) => {
      // There was no connection yet: the next keystroke tries again.
      if (!hasLeft) lastSent.current = 0
    })
  }, [signal])

  const stopped = useCallback(() => {
    if (lastSent.current === 0) return
    lastSent.current = 0
    void signal({ isTyping: false })
  }, [signal])

  return { typists, started, stopped }
}

/** Its height is always there, so that nothing jumps when somebody begins. */
export function TypingRow({ typists }: { typists: Typist[] }) {
  const t = useTranslations("typing")
  const marked = useMarkedName()
  const [first, second] = typists.map(({ id, name }) => marked(id, name))
  const text = !first
    ? ""
    : !second
      ? t.rich("one", { name: first, who })
      : typists.length === 2
        ? t.rich("two", { first, second, who })
        : t.rich("many", { first, second, count: typists.length - 2, who })
  return (
    <p
      role="status"
      data-testid="typing"
      className="px-conversation names-in-line h-6 overflow-hidden text-muted text-xs leading-6"
    >
      {text}
    </p>
  )
}
