import { type OnError, RealtimeError } from "../errors.ts"
import { guard } from "../guard.ts"
import { createJoinedChannels, subscribeAt } from "../joined-channels.ts"
import type { RealtimeTransport, TransportSubscription } from "../transport.ts"
import { createStatus } from "../transport-status.ts"
import { createDownload } from "./download.ts"

export interface LazyTransportOptions {
  provider: string
  /**
   * Downloads the provider's code and makes its transport; called on the first `connect`, again after a
   * failure. A `RealtimeError` is the provider's refusal of its configuration, and ends in `failed`.
   */
  load(): Promise<RealtimeTransport>
  /** How long one download may take. Default 15 s. */
  timeoutMs?: number
  onError: OnError
}

interface ChannelState {
  /** Null until there is a transport. */
  subscription: TransportSubscription | null
}

const stage = "load the provider's code"

/**
 * A transport whose code is downloaded when it is first needed, so that a page pays for one provider's SDK
 * only. Until it is there, the state is `connecting` and subscriptions wait.
 */
export function createLazyTransport({
  provider,
  load,
  timeoutMs,
  onError,
}: LazyTransportOptions): RealtimeTransport {
  const status = createStatus(onError)
  const channels = createJoinedChannels<ChannelState>()
  let current: RealtimeTransport | null = null
  const isClosed = () => status.current.state === "closed"
  const download = createDownload({
    ...{ stage, provider, load, timeoutMs, onLoaded: adopt, onError },
    isWanted: () => !current && !isClosed(),
    onFailed: (error, isFinal) => status.set({ state: isFinal ? "failed" : "reconnecting", error }),
  })

  /** A download that comes too late is as good, unless another came first. */
  function adopt(transport: RealtimeTransport): void {
    if (current || isClosed()) {
      transport.close().catch((error: unknown) => onError(error, { stage }))
      return
    }
    current = transport
    transport.onStatus(status.set)
    // A vendor's code may throw, at a key that it doesn't like for example.
    guard(onError, "connect", () => {
      for (const channel of channels) channel.subscription = subscribeAt(transport, channel, onError)
      transport.connect()
    })
  }

  const notConnected = () =>
    Promise.reject(
      new RealtimeError("not-connected", {
        provider,
        message: "unable to send; the connection is not open yet",
      }),
    )

  return {
    provider,
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
      else download.start()
    },

    subscribe(name, observer) {
      const channel = channels.join(name, observer, { subscription: null })
      if (current) channel.subscription = subscribeAt(current, channel, onError)
      return {
        get signal() {
          return current ? channel.subscription?.signal : notConnected
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
      download.stop()
      if (!current) status.set({ state: "closed" })
      await current?.close()
    },
  }
}
