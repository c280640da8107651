import { isRealtimeError, type OnError, RealtimeError } from "../errors.ts"
import { guard } from "../guard.ts"
import { createListeners } from "../listeners.ts"
import type {
  ChannelObserver,
  RealtimeTransport,
  TransportStatus,
  TransportSubscription,
} from "../transport.ts"
import { withinLimit } from "../within-limit.ts"

export interface LazyTransportOptions {
  provider: string
  /**
   * Downloads the provider's code and makes its transport; called on the first `connect`, again after a failure. A `RealtimeError` is the
   * provider's refusal of its configuration, and ends in `failed`.
   */
  load(): Promise<RealtimeTransport>
  /** How long one download may take. Default 15 s. */
  timeoutMs?: number
  onError: OnError
}

/** What a subscription was told before there was a transport, to be told to it once there is. */
interface Desired {
  observer: ChannelObserver
  watchesPresence: boolean
  data?: Parameters<TransportSubscription["enterPresence"]>[0]
  joined: TransportSubscription | null
}

const retryMs = 3_000
const stage = "load the provider's code"

/**
 * A transport whose code is downloaded when it is first needed, so that a page pays for one provider's SDK only. Until
 * it is there, the state is `connecting` and subscriptions wait.
 */
export function createLazyTransport({
  provider,
  load,
  timeoutMs = 15_000,
  onError,
}: LazyTransportOptions): RealtimeTransport {
  const listeners = createListeners<[TransportStatus]>(onError, "onStatus")
  const desired = new Map<string, Desired>()
  let status: TransportStatus = { state: "connecting" }
  let current: RealtimeTransport | null = null
  let isLoading = false
  /** That it can't be loaded is said once. */
  let isTold = false
  let retryTimer: ReturnType<typeof setTimeout> | undefined

  function setStatus(next: TransportStatus): void {
    status = next
    listeners.tell(next)
  }

  function join(channel: string, wish: Desired, transport: RealtimeTransport): void {
    wish.joined = transport.subscribe(channel, wish.observer)
    if (wish.watchesPresence) wish.joined.watchPresence()
    // Whoever entered waits for it no longer. Who isn't let in among the people may be in the channel all the same.
    if (wish.data !== undefined)
      wish.joined.enterPresence(wish.data).catch((error) => onError(error, { stage: "presence" }))
  }

  /** A download that comes too late is as good, unless another came first. */
  function adopt(transport: RealtimeTransport): void {
    if (current || status.state === "closed") {
      transport.close().catch((error: unknown) => onError(error, { stage }))
      return
    }
    clearTimeout(retryTimer)
    current = transport
    transport.onStatus(setStatus)
    // A vendor's code may throw, at a key that it doesn't like for example.
    guard(onError, "connect", () => {
      for (const [channel, wish] of desired) join(channel, wish, transport)
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
      if (current || status.state === "closed") return
      const isLate = isRealtimeError(cause) && cause.code === "timeout"
      // The code is there, and refuses what it was given: another download changes nothing.
      if (isRealtimeError(cause) && !isLate) return setStatus({ state: "failed", error: cause })
      const reason = isLate ? `it didn't come in ${timeoutMs} ms` : "the download failed"
      const message = `unable to ${stage}; ${reason}`
      const error = new RealtimeError(isLate ? "timeout" : "not-connected", { provider, message, cause })
      if (!isTold) onError(error, { stage })
      isTold = true
      setStatus({ state: "reconnecting", error })
      retryTimer = setTimeout(connect, retryMs)
    }
  }

  function connect(): void {
    clearTimeout(retryTimer)
    if (status.state === "closed") return
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
      return status
    },
    onStatus: listeners.add,
    connect,

    subscribe(channel, observer) {
      const wish: Desired = { observer, watchesPresence: false, joined: null }
      desired.set(channel, wish)
      if (current) join(channel, wish, current)
      return {
        get signal() {
          return current ? wish.joined?.signal : notConnected
        },
        watchPresence() {
          wish.watchesPresence = true
          wish.joined?.watchPresence()
        },
        async enterPresence(data) {
          wish.data = data
          await wish.joined?.enterPresence(data)
        },
        async leavePresence() {
          wish.data = undefined
          await wish.joined?.leavePresence()
        },
        unsubscribe() {
          desired.delete(channel)
          wish.joined?.unsubscribe()
        },
      }
    },

    get publish() {
      return current?.publish
    },

    async close() {
      clearTimeout(retryTimer)
      if (!current) setStatus({ state: "closed" })
      await current?.close()
    },
  }
}
