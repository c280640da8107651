import { type OnError, RealtimeError } from "../errors.ts"
import { guard } from "../guard.ts"
import { createJoinedChannels, type JoinedChannel, subscribeAt } from "../joined-channels.ts"
import type {
  ChannelObserver,
  RealtimeTransport,
  TransportStatus,
  TransportSubscription,
} from "../transport.ts"
import { createStatus } from "../transport-status.ts"

export interface DeferredTransportOptions {
  /** What it is called while it stands on none. */
  provider: string
  /** Begins to get one to stand on; called by `connect` while there is none. */
  start(): void
  /** Called by `close`. */
  stop(): void
  /** Who hears of a channel. Default: its observer. */
  through?(channel: JoinedChannel): ChannelObserver
  /** Whether there are others to turn to: then a failure isn't the end, and signals go by the server. */
  hasOthers?(): boolean
  onError: OnError
}

/** A transport that stands on another, which comes later than what is asked of it. */
export interface DeferredTransport {
  readonly transport: RealtimeTransport
  /** Null before there is one. */
  readonly current: RealtimeTransport | null
  /** Its state while it stands on none. */
  show(status: TransportStatus): void
  /**
   * Stands on this one from now on, and connects it. The one before is left, but not closed: each channel is
   * joined again, and says so to its observer, who looks for what was missed.
   */
  use(next: RealtimeTransport): void
}

interface ChannelState {
  /** Null while there is no transport. */
  subscription: TransportSubscription | null
}

/** Begins as `connecting`, and keeps what is wanted of each channel until there is a transport to ask. */
export function createDeferredTransport(options: DeferredTransportOptions): DeferredTransport {
  const { provider, start, stop, through, hasOthers = () => false, onError } = options
  const status = createStatus(onError)
  const channels = createJoinedChannels<ChannelState>()
  let current: RealtimeTransport | null = null
  let stopListening = () => {}
  const isClosed = () => status.current.state === "closed"

  function show(next: TransportStatus): void {
    status.set(next.state === "failed" && hasOthers() ? { ...next, state: "reconnecting" } : next)
  }

  const subscribe = (at: RealtimeTransport, channel: JoinedChannel) =>
    subscribeAt(at, channel, onError, through?.(channel))

  const notConnected = () =>
    Promise.reject(
      new RealtimeError("not-connected", {
        provider,
        message: "unable to send; the connection is not open yet",
      }),
    )

  const transport: RealtimeTransport = {
    get provider() {
      return current?.provider ?? provider
    },
    get capabilities() {
      if (current) return current.capabilities
      throw new TypeError("unable to read the capabilities; the provider's code is not loaded yet")
    },
    get status() {
      return status.current
    },
    onStatus: status.onStatus,
    connect() {
      if (isClosed()) return
      if (current) current.connect()
      else start()
    },

    subscribe(name, observer) {
      const channel = channels.join(name, observer, { subscription: null })
      if (current) channel.subscription = subscribe(current, channel)
      return {
        get signal() {
          if (!current) return notConnected
          return hasOthers() ? undefined : channel.subscription?.signal
        },
        watchState: (wanted) => channel.subscription?.watchState?.(wanted),
        watchPresence() {
          channel.watchesPresence = true
          channel.subscription?.watchPresence()
        },
        async enterPresence(data) {
          channel.data = data
          await channel.subscription?.enterPresence(data)
        },
        async leavePresence() {
          channel.data = undefined
          await channel.subscription?.leavePresence()
        },
        unsubscribe() {
          if (channel.leave()) channel.subscription?.unsubscribe()
        },
      }
    },

    get publish() {
      return current?.publish
    },

    async close() {
      stop()
      status.set({ state: "closed" })
      await current?.close()
    },
  }

  return {
    transport,
    get current() {
      return current
    },
    show,
    use(next) {
      stopListening()
      for (const { subscription } of channels) subscription?.unsubscribe()
      current = next
      stopListening = next.onStatus(show)
      // A vendor's code may throw, at a key that it doesn't like for example.
      guard(onError, "connect", () => {
        for (const channel of channels) channel.subscription = subscribe(next, channel)
        next.connect()
      })
    },
  }
}
