import { isDenial, isRealtimeError, type RealtimeError } from "../errors.ts"
import type { Cursor, LogHead, LogPage, WireMessage } from "../message.ts"
import type { ChannelOptions } from "./channel-options.ts"
import type { MessageFollower } from "./follow-messages.ts"
import { createSharedReads } from "./shared-reads.ts"
import type { SharedSubscription } from "./shared-subscription.ts"
import { createStream, type Stream } from "./stream.ts"
import type { Channel, ChannelHandlers } from "./types.ts"

/** Is told what a comparison with the log's head has brought. */
export type HeadComparison = (head: LogHead | RealtimeError) => void

/** All who listen to a channel's messages, each by a stream from the client's opening to its closing. */
export interface ChannelStreams
  extends Pick<Channel, "subscribe">,
    Pick<Stream, "receive" | "detached" | "check" | "deny"> {
  /** The earliest place of all: from there the provider's catch-up serves them all. */
  cursor(): Cursor | null
  /** As of a stream; `page` is what the provider says was missed after `cursor()`. */
  attached(page: LogPage | undefined): void
  /** Null where nobody needs one. */
  startComparison(): HeadComparison | null
  /** The client is closed: from its next opening on each goes on from where it stood. */
  renew(): void
}

/** The most messages of one read of the log. */
const pageSize = 500

interface Listener {
  stream: Stream
  start(from: Cursor | null, isContinuation?: boolean): Stream
}

/** Shows when messages that are followed were handed to the application. */
function followed(handlers: ChannelHandlers, follower: MessageFollower | undefined): ChannelHandlers {
  if (!follower) return handlers
  return {
    ...handlers,
    onMessages: (messages) => follower.receive(messages, () => handlers.onMessages(messages)),
  }
}

export function createChannelStreams(
  { ref, http, follower, onError }: Pick<ChannelOptions, "ref" | "http" | "follower" | "onError">,
  subscription: Pick<SharedSubscription, "status" | "use" | "shutOut">,
): ChannelStreams {
  const listeners = new Set<Listener>()
  const { read, clear } = createSharedReads((after) =>
    http.history(ref.name, after ? { after: after.seq, limit: pageSize } : { limit: 1 }).then(ownPage),
  )
  /** The place that the provider was asked to go on from. */
  let asked: Cursor | null = null

  const streams = () => [...listeners].map(({ stream }) => stream)
  const isFollowed = (stream: Stream) => streams().includes(stream)

  /** Nobody's mistake brings another channel's messages to this one's listeners. */
  function ownOf<M extends WireMessage>(messages: readonly M[]): M[] {
    return messages.filter(({ channel }) => channel === ref.name)
  }

  const ownPage = (page: LogPage): LogPage => ({ ...page, messages: ownOf(page.messages) })

  return {
    subscribe(handlers, { since = null } = {}) {
      const start: Listener["start"] = (from, isContinuation = false) =>
        createStream({
          ...{ since: from, isContinuation, handlers: followed(handlers, follower) },
          ...{ read, onDenied: subscription.shutOut, onError },
        })
      const listener: Listener = { stream: start(since), start }
      listeners.add(listener)
      const wasAttached = subscription.status.state === "attached"
      const stop = subscription.use()
      const { stream } = listener
      if (wasAttached) queueMicrotask(() => isFollowed(stream) && stream.attached(undefined, null))
      return {
        get ready() {
          return listener.stream.ready
        },
        get cursor() {
          return listener.stream.cursor
        },
        unsubscribe() {
          listeners.delete(listener)
          listener.stream.close()
          stop()
        },
      }
    },
    cursor() {
      asked = null
      for (const { cursor } of streams()) if (cursor && (!asked || cursor.seq < asked.seq)) asked = cursor
      return asked
    },
    attached(page) {
      // Reads that began before can't know what was published until now; the
      // streams' next ones must not share them.
      clear()
      for (const stream of streams()) stream.attached(page && ownPage(page), asked)
    },
    receive(messages) {
      const own = ownOf(messages)
      for (const stream of streams()) stream.receive(own)
    },
    detached() {
      for (const stream of streams()) stream.detached()
    },
    check() {
      for (const stream of streams()) stream.check()
    },
    deny(error) {
      for (const stream of streams()) stream.deny(error)
    },
    startComparison() {
      // Whoever isn't positioned yet has a read under way, which tells them more.
      const compared = streams().flatMap((stream) =>
        stream.cursor ? [{ stream, after: stream.cursor }] : [],
      )
      if (compared.length === 0) return null
      return (head) => {
        if (!compared.some(({ stream }) => isFollowed(stream))) return
        if (isDenial(head)) return subscription.shutOut(head)
        if (isRealtimeError(head)) return onError(head, { stage: "compare heads" })
        for (const { stream, after } of compared) if (isFollowed(stream)) stream.head(head, after)
      }
    },
    renew() {
      // A read that is under way belongs to those who asked for it.
      clear()
      for (const listener of listeners) {
        const { cursor, isEstablished } = listener.stream
        listener.stream.close()
        listener.stream = listener.start(cursor, isEstablished)
      }
    },
  }
}
