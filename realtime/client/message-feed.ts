import type { AnyChannelDefinition, MessageEvent, MessageInput } from "../channel.ts"
import type { LogPage } from "../message.ts"
import type { Channel, ChannelMessage, PendingMessage } from "./types.ts"

/** What a list of messages shows. A new object on each change; what didn't change in it stays the same object. */
export interface FeedState<D extends AnyChannelDefinition = AnyChannelDefinition> {
  /** Oldest first, without holes but those in `gaps`. */
  messages: ChannelMessage<D>[]
  /** One's own that the log hasn't brought yet, in the order they were written. */
  pending: readonly PendingMessage<D>[]
  /** Whether the log may hold older ones. */
  hasOlder: boolean
  isLoadingOlder: boolean
  /** Stretches that the log no longer has. */
  gaps: { from: number; to: number }[]
  /** The log was replaced while this was shown; the messages are those of the new one. */
  wasReset: boolean
  /** How the last interruption ended; null when there was none. */
  caughtUp: { count: number; recovered: boolean } | null
}

/** A channel's messages as a store: history, live messages and one's own pending ones in one consistent state. */
export interface MessageFeed<D extends AnyChannelDefinition = AnyChannelDefinition> {
  readonly state: FeedState<D>
  subscribe(listener: () => void): () => void
  /** Begins to receive. Returns how to stop; what is shown stays, and starting again goes on from there. */
  start(): () => void
  /** Sends at once on screen, then for real, if need be after a reload. Returns the message's id. */
  send<E extends MessageEvent<D>>(event: E, payload: MessageInput<D, E>): string
  /** Tries a failed or refused message again, under its id. */
  retry(id: string): void
  /** Forgets a message that isn't under way. */
  discard(id: string): void
  loadOlder(): Promise<void>
}

const olderPageSize = 50

export function createMessageFeed<D extends AnyChannelDefinition>(
  channel: Channel<D>,
  initial: LogPage | undefined,
): MessageFeed<D> {
  const messages = (initial?.messages ?? []) as ChannelMessage<D>[]
  const listeners = new Set<() => void>()
  let cursor = initial ? { epoch: initial.head.epoch, seq: initial.head.seq } : null
  /** The oldest that the log keeps, as far as is known. */
  let first = initial?.head.first ?? 1
  let state: FeedState<D> = {
    messages,
    pending: [],
    hasOlder: (messages[0]?.seq ?? 0) > first,
    isLoadingOlder: false,
    gaps: [],
    wasReset: false,
    caughtUp: null,
  }

  function update(change: Partial<FeedState<D>>): void {
    state = { ...state, ...change }
    for (const listener of [...listeners]) listener()
  }

  /** What is shown as arrived isn't pending any more, in whichever order the two are learned. */
  function refreshPending(): void {
    const known = new Set(state.messages.map(({ id }) => id))
    const here = channel.outbox.messages.filter(({ id }) => known.has(id))
    if (here.length > 0) channel.outbox.arrived(new Set(here.map(({ id }) => id)))
    if (state.pending !== channel.outbox.messages) update({ pending: channel.outbox.messages })
  }

  async function reload(): Promise<void> {
    const page = await channel.history({ limit: olderPageSize })
    const known = state.messages.filter(
      (message) => message.epoch === page.head.epoch && message.seq > page.head.seq,
    )
    first = page.head.first
    const reloaded = [...(page.messages as ChannelMessage<D>[]), ...known]
    update({ messages: reloaded, gaps: [], wasReset: true, hasOlder: (reloaded[0]?.seq ?? 0) > first })
  }

  return {
    get state() {
      return state
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },

    start() {
      const subscription = channel.subscribe(
        {
          onMessages(arrived) {
            const last = arrived.at(-1)
            if (last) cursor = { epoch: last.epoch, seq: last.seq }
            state = { ...state, messages: [...state.messages, ...arrived] }
            channel.outbox.arrived(new Set(arrived.map(({ id }) => id)))
            update({ pending: channel.outbox.messages })
          },
          onGap: (gap) => update({ gaps: [...state.gaps, gap] }),
          onReset({ cursor: next }) {
            cursor = next
            update({ messages: [], wasReset: true })
            void reload().catch(() => update({ hasOlder: true }))
          },
          onCaughtUp: (caughtUp) => update({ caughtUp }),
        },
        cursor ? { since: cursor } : {},
      )
      const stopPending = channel.outbox.subscribe(refreshPending)
      refreshPending()
      return () => {
        cursor = subscription.cursor ?? cursor
        subscription.unsubscribe()
        stopPending()
      }
    },

    send: (event, payload) => channel.outbox.add(event, payload),
    retry: (id) => channel.outbox.retry(id),
    discard: (id) => channel.outbox.discard(id),

    async loadOlder() {
      if (state.isLoadingOlder || !state.hasOlder) return
      update({ isLoadingOlder: true })
      try {
        const before = state.messages[0]?.seq
        const page = await channel.history({ limit: olderPageSize, ...(before !== undefined && { before }) })
        first = page.head.first
        const older = (page.messages as ChannelMessage<D>[]).filter(
          ({ seq }) => before === undefined || seq < before,
        )
        const all = [...older, ...state.messages]
        update({ messages: all, hasOlder: older.length > 0 && (all[0]?.seq ?? 0) > first })
      } finally {
        update({ isLoadingOlder: false })
      }
    },
  }
}
