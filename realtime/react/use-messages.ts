"use client"
import { useEffect, useMemo, useSyncExternalStore } from "react"
import type { AnyChannelDefinition, ChannelRef } from "../channel.ts"
import { createMessageFeed, type FeedState, type MessageFeed } from "../client/message-feed.ts"
import type { LogPage } from "../message.ts"
import { useRealtimeClient } from "./context.ts"

type Actions<D extends AnyChannelDefinition> = Pick<
  MessageFeed<D>,
  "send" | "retry" | "discard" | "loadOlder"
>

/**
 * Browser: a channel's messages, live. `initial` is the newest page as the server rendered it; what was
 * published since joins it with no gap and no repeat. Changing `ref` starts over.
 *
 * ```ts
 * const { messages, pending, send } = useMessages(room({ room: "42" }), { initial })
 * send("text-sent", { text: "hello" }) // in `pending` at once, in `messages` when the log has it
 * ```
 */
export function useMessages<D extends AnyChannelDefinition>(
  ref: ChannelRef<D>,
  options: { initial?: LogPage } = {},
): FeedState<D> & Actions<D> {
  const client = useRealtimeClient()
  // The first page counts once: a later render of the server must not take back what has arrived since.
  const feed = useMemo(() => createMessageFeed(client.channel(ref), options.initial), [client, ref.name])
  useEffect(() => feed.start(), [feed])
  const getState = () => feed.state
  const state = useSyncExternalStore(feed.subscribe, getState, getState)
  return { ...state, send: feed.send, retry: feed.retry, discard: feed.discard, loadOlder: feed.loadOlder }
}
