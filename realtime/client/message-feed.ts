import { pause } from "../back-off.ts"
import type { AnyChannelDefinition, MessageEvent, MessageInput } from "../channel.ts"
import { isRealtimeError, RealtimeError } from "../errors.ts"
import { createListeners } from "../listeners.ts"
import { type Cursor, cursorOf, type LogPage } from "../message.ts"
import type { Channel, ChannelMessage, ChannelSubscription, PendingMessage } from "./types.ts"

/**
 * What a list of messages shows. A new object on each change; what didn't change in it stays the same object.
 */
export interface FeedState<D extends AnyChannelDefinition = AnyChannelDefinition> {
  /** Oldest first, without holes but those in `gaps`. */
  messages: ChannelMessage<D>[]
  /** One's own that the log hasn't brought yet, in the order they were written. */
  pending: readonly PendingMessage<D>[]
  /** Whether the log may hold older ones. */
  hasOlder: boolean
  /** True while `loadOlder` waits for its page. */
  isLoadingOlder: boolean
  /** Why older ones couldn't be read; null again with the next attempt, or once an interruption is over. */
  olderError: RealtimeError | null
  /**
   * What came before the oldest is no longer kept; false while the log may hold
   * it, and where nothing came before.
   */
  isTruncated: boolean
  /** Stretches that the log no longer has. */
  gaps: { from: number; to: number }[]
  /** The log was replaced while this was shown; the messages are those of the new one. */
  wasReset: boolean
  /** How the last interruption ended; null when there was none. */
  caughtUp: { count: number; recovered: boolean } | null
}

/**
 * A channel's messages as a store: history, live messages and one's own pending ones in one consistent state.
 */
export interface MessageFeed<D extends AnyChannelDefinition = AnyChannelDefinition> {
  /** What to show now. The same object until something changes. */
  readonly state: FeedState<D>
  /** Calls back on each change of `state`. Returns how to stop it. */
  subscribe(listener: () => void): () => void
  /** Begins to receive. Returns how to stop; what is shown stays, and starting again goes on from there. */
  start(): () => void
  /** Sends at once on screen, then for real, if need be after a reload. Returns the message's id. */
  send<E extends MessageEvent<D>>(event: E, payload: MessageInput<D, E>): string
  /** Tries a failed or refused message again, under its id. */
  retry(id: string): void
  /** Forgets a message that isn't under way. */
  discard(id: string): void
  /**
   * One page, or as many as it takes until the message at `until` is here, or is known not to be kept. Never
   * rejects: `olderError` says what failed. A call while one is under way does nothing; one soon after a
   * failure waits a moment first, so that a scrolled list may ask as often as it likes.
   */
  loadOlder(options?: { until?: number }): Promise<void>
}

const olderPageSize = 50
/** Where it is known that many are wanted. */
const largePageSize = 500
const failurePauseMs = 1_000

/**
 * Browser: a channel's messages as a list that is shown, what `useMessages` stands on. `initial` is the
 * newest page as the server rendered it. Does nothing until `start`.
 */
export function createMessageFeed<D extends AnyChannelDefinition>(
  channel: Channel<D>,
  initial: LogPage | undefined,
): MessageFeed<D> {
  const messages = (initial?.messages ?? []) as ChannelMessage<D>[]
  const listeners = createListeners(channel.report, "feed.subscribe")
  let subscription: ChannelSubscription | null = null
  /** Where it goes on when it is started. */
  let cursor: Cursor | null = initial ? cursorOf(initial.head) : null
  /** The oldest that the log keeps, as far as is known. */
  let first = initial?.head.first ?? 1
  let pauseAfterFailure: Promise<void> | undefined
  let state: FeedState<D> = {
    messages,
    pending: [],
    ...beginningOf(messages),
    isLoadingOlder: false,
    olderError: null,
    gaps: [],
    wasReset: false,
    caughtUp: null,
  }

  /** Where none is kept at all, `first` is where the next one will be. */
  function beginningOf(messages: readonly ChannelMessage<D>[]) {
    const oldest = messages[0]?.seq ?? first
    return { hasOlder: oldest > first, isTruncated: oldest <= first && oldest > 1 }
  }

  function update(change: Partial<FeedState<D>>): void {
    state = { ...state, ...change }
    listeners.tell()
  }

  /** It has its place before the cursor: it came, or retention or another generation of the log took it. */
  function isPast(place: Cursor): boolean {
    const here = subscription?.cursor ?? cursor
    return here !== null && (place.epoch !== here.epoch || place.seq <= here.seq)
  }

  /** What is shown as arrived isn't pending any more, in whichever order the two are learned. */
  function refreshPending(): void {
    const known = new Set(state.messages.map(({ id }) => id))
    const here = channel.outbox.messages.filter(({ id, place }) => known.has(id) || (place && isPast(place)))
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
    update({ messages: reloaded, gaps: [], wasReset: true, ...beginningOf(reloaded) })
    refreshPending()
  }

  async function loadPage(limit: number): Promise<void> {
    if (!state.hasOlder) return
    const before = state.messages[0]?.seq
    const page = await channel.history({ limit, ...(before !== undefined && { before }) })
    // Another generation of the log began meanwhile: its own reload brings what it holds.
    if (state.messages[0]?.seq !== before) return
    const older = (page.messages as ChannelMessage<D>[]).filter(
      ({ seq }) => before === undefined || seq < before,
    )
    // A log that has none before the oldest begins there, whatever its head says: nobody asks it again.
    first = older.length > 0 ? page.head.first : Math.max(page.head.first, before ?? 0)
    const all = [...older, ...state.messages]
    update({ messages: all, ...beginningOf(all) })
  }

  return {
    get state() {
      return state
    },
    subscribe: listeners.add,

    start() {
      const started = channel.subscribe(
        {
          onMessages(arrived) {
            state = { ...state, messages: [...state.messages, ...arrived] }
            channel.outbox.arrived(new Set(arrived.map(({ id }) => id)))
            update({ pending: channel.outbox.messages })
          },
          onGap(gap) {
            update({ gaps: [...state.gaps, gap] })
            refreshPending()
          },
          onReset() {
            update({ messages: [], wasReset: true, isTruncated: false })
            refreshPending()
            void reload().catch(() => update({ hasOlder: true }))
          },
          onCaughtUp: (caughtUp) => update({ caughtUp, olderError: null }),
        },
        cursor ? { since: cursor } : {},
      )
      subscription = started
      const stopPending = channel.outbox.subscribe(refreshPending)
      refreshPending()
      started.ready.then(refreshPending, () => {
        // The channel's status says why.
      })
      return () => {
        cursor = started.cursor ?? cursor
        if (subscription === started) subscription = null
        started.unsubscribe()
        stopPending()
      }
    },

    send: (event, payload) => channel.outbox.add(event, payload),
    retry: (id) => channel.outbox.retry(id),
    discard: (id) => channel.outbox.discard(id),

    async loadOlder({ until = Number.POSITIVE_INFINITY } = {}) {
      if (state.isLoadingOlder) return
      update({ isLoadingOlder: true, olderError: null })
      let olderError: RealtimeError | null = null
      try {
        await pauseAfterFailure
        do await loadPage(until === Number.POSITIVE_INFINITY ? olderPageSize : largePageSize)
        while (state.hasOlder && (state.messages[0]?.seq ?? 0) > until)
      } catch (cause) {
        const message = "unable to read older messages; the client failed"
        olderError = isRealtimeError(cause) ? cause : new RealtimeError("internal", { message, cause })
        pauseAfterFailure = pause(failurePauseMs)
      }
      update({ isLoadingOlder: false, olderError })
    },
  }
}
