"use client"
import { useEffect, useMemo, useReducer, useRef, useState } from "react"
import { isRealtimeError, logError } from "throughline"
import { useConnection } from "throughline/react"
import { askQuotes, maxQuotes } from "#lib/chat/api.ts"
import type { Conversation, Quoted, RoomMessage } from "#lib/chat/conversation.ts"
import type { QuotedMessage } from "#lib/chat/message-index.ts"
import { useMe } from "../../_components/chat-provider.tsx"

/** What is quoted, by its id: null where it isn't known yet, `"gone"` where it isn't kept any more. */
export type FindOrigin = (id: string) => Quoted | "gone" | null

interface Options {
  roomId: string
  conversation: Conversation
  messages: readonly RoomMessage[]
  /** What is being answered, which may be older than what is loaded. */
  replyingTo: string | null
  /** What the server knew of them when it rendered the page. */
  initial: readonly QuotedMessage[]
}

/** What couldn't be had is asked for again by then. */
const againMs = 15_000

/** Finds what messages answer: among what is loaded, else at the server, which is asked once for each and again when it changes. */
export function useOrigins({ roomId, conversation, messages, replyingTo, initial }: Options): FindOrigin {
  const [known, setKnown] = useState<ReadonlyMap<string, Quoted | "gone">>(
    () => new Map(initial.map((message) => [message.id, toQuoted(message)])),
  )
  const me = useMe()
  const isConnected = useConnection().state === "connected"

  const missing = useMemo(() => {
    const ids = conversation.items.flatMap((item) =>
      item.kind === "said" && item.replyTo ? [item.replyTo.id] : [],
    )
    if (replyingTo) ids.push(replyingTo)
    return new Set(ids.filter((id) => !conversation.find(id)))
  }, [conversation, replyingTo])

  /** Each with the last that happened to it since: what was known of it before is out of date. */
  const wanted = useMemo(() => {
    const changes = new Map<string, number>()
    if (missing.size > 0)
      for (const { seq, payload } of messages)
        if (payload && "target" in payload && missing.has(payload.target)) changes.set(payload.target, seq)
    return [...missing].map((id) => ({ id, change: changes.get(id) ?? 0 }))
  }, [missing, messages])

  const asked = useRef(new Map(initial.map(({ id }) => [id, 0])))
  const again = useRef<ReturnType<typeof setTimeout>>(undefined)
  const [attempt, tryAgain] = useReducer((attempts: number) => attempts + 1, 0)
  useEffect(() => () => clearTimeout(again.current), [])
  useEffect(() => {
    const due = wanted.filter(({ id, change }) => (asked.current.get(id) ?? -1) < change)
    for (let from = 0; from < due.length; from += maxQuotes) {
      const some = due.slice(from, from + maxQuotes)
      for (const { id, change } of some) asked.current.set(id, change)
      const ids = some.map(({ id }) => id)
      /** Of what has changed since, a later request brings the answer. */
      const upToDate = () => some.flatMap(({ id, change }) => (asked.current.get(id) === change ? [id] : []))
      askQuotes(me.id, roomId, ids).then(
        (found) => {
          const origins = new Map(found.map((message) => [message.id, toQuoted(message)]))
          const news = upToDate().map((id) => [id, origins.get(id) ?? "gone"] as const)
          setKnown((before) => new Map([...before, ...news]))
        },
        (error) => {
          // They are asked for again with the next message, with the next connection, or after a while.
          for (const id of upToDate()) asked.current.delete(id)
          logError(error, { stage: "chat" })
          if (!isRealtimeError(error) || !error.retryable) return
          clearTimeout(again.current)
          again.current = setTimeout(tryAgain, againMs)
        },
      )
    }
    // A connection that is back is a reason to ask for what couldn't be had.
  }, [wanted, me.id, roomId, isConnected, attempt])

  return useMemo(() => (id) => conversation.find(id) ?? known.get(id) ?? null, [conversation, known])
}

const toQuoted = ({ from, text, isDeleted }: QuotedMessage): Quoted => ({
  ...{ sender: from, text, isDeleted, files: [] },
})
