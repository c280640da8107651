import { isRealtimeError, type OnError, RealtimeError } from "../errors.ts"
import { guard } from "../guard.ts"
import { createJoinedChannels, subscribeAt } from "../joined-channels.ts"
import type { RealtimeTransport, TransportSubscription } from "../transport.ts"
import { createStatus } from "../transport-status.ts"
import { withinLimit } from "../within-limit.ts"

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

const retryMs = 3_000
const stage = "load the provider's code"

/**
 * A transport whose code is downloaded when it is first needed, so that a page pays for one provider's SDK
 * only. Until it is there, the state is `connecting` and subscriptions wait.
 */
export function createLazyTransport({
  provider,
  load,
  timeoutMs = 15_000,
  onError,
}: LazyTransportOptions): RealtimeTransport {
  const status = createStatus(onError)
  const channels = createJoinedChannels<ChannelState>()
  let current: RealtimeTransport | null = null
  let isLoading = false
  /** That it can't be loaded is said once. */
  let isTold = false
  let retryTimer: ReturnType<typeof setTimeout> | undefined

  /** A download that comes too late is as good, unless another came first. */
  function adopt(transport: RealtimeTransport): void {
    if (current || status.current.state === "closed") {
      transport.close().catch((error: unknown) => onError(error, { stage }))
      return
    }
    clearTimeout(retryTimer)
    current = transport
    transport.onStatus(status.set)
    // A vendor's code may throw, at a key that it doesn't like for example.
    guard(onError, "connect", () => {
      for (const channel of channels) channel.subscription = subscribeAt(transport, channel, onError)
      transport.connect()
    })
  }

  async function loadOnce(): Promise<void> {
    if (isLoading) return
    isLoading = true
    const loading = load()
    loading.then(adopt, () => {})
    try {
      await withinLimit(timeoutMs, stage, () => loading)
    } catch (cause) {
      isLoading = false
      if (current || status.current.state === "closed") return
      const isLate = isRealtimeError(cause) && cause.code === "timeout"
      // The code is there, and refuses what it was given: another download changes nothing.
      if (isRealtimeError(cause) && !isLate) return status.set({ state: "failed", error: cause })
      const reason = isLate ? `it didn't come in ${timeoutMs} ms` : "the download failed"
      const message = `unable to ${stage}; ${reason}`
      const error = new RealtimeError(isLate ? "timeout" : "not-connected", { provider, message, cause })
      if (!isTold) onError(error, { stage })
      isTold = true
      status.set({ state: "reconnecting", error })
      retryTimer = setTimeout(connect, retryMs)
    }
  }

  function connect(): void {
    clearTimeout(retryTimer)
    if (status.current.state === "closed") return
    if (current) current.connect()
    else void loadOnce()
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
    connect,

    subscribe(name, observer) {
      const channel = channels.join(name, observer, { subscription: null })
      if (current) channel.subscription = subscribeAt(current, channel, onError)
      return {
        get signal() {
          return current ? channel.subscription?.signal : notConnected
        },
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
      clearTimeout(retryTimer)
      if (!current) status.set({ state: "closed" })
      await current?.close()
    },
  }
}
