import { isRealtimeError, type OnError, RealtimeError } from "../errors.ts"
import { guard } from "../guard.ts"
import { createListeners } from "../listeners.ts"
import type {
  ChannelObserver,
  RealtimeTransport,
  TransportStatus,
  TransportSubscription,
} from "../transport.ts"

export interface LazyTransportOptions {
  provider: string
  /**
   * Downloads the provider's code and makes its transport; called on the first `connect`, again after a failure. A `RealtimeError` is the
   * provider's refusal of its configuration, and ends in `failed`.
   */
  load(): Promise<RealtimeTransport>
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

/**
 * A transport whose code is downloaded when it is first needed, so that a page pays for one provider's SDK only. Until
 * it is there, the state is `connecting` and subscriptions wait.
 */
export function createLazyTransport({ provider, load, onError }: LazyTransportOptions): RealtimeTransport {
  const listeners = createListeners<[TransportStatus]>(onError, "onStatus")
  const desired = new Map<string, Desired>()
  let status: TransportStatus = { state: "connecting" }
  let current: RealtimeTransport | null = null
  let isLoading = false
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

  async function loadOnce(): Promise<void> {
    if (isLoading) return
    isLoading = true
    let transport: RealtimeTransport
    try {
      transport = await load()
    } catch (cause) {
      isLoading = false
      if (status.state === "closed") return
      // The code is there, and refuses what it was given: another download changes nothing.
      if (isRealtimeError(cause)) return setStatus({ state: "failed", error: cause })
      const message = "unable to load the provider's code; the download failed"
      setStatus({
        state: "reconnecting",
        error: new RealtimeError("not-connected", { provider, message, cause }),
      })
      retryTimer = setTimeout(connect, retryMs)
      return
    }
    if (status.state === "closed") {
      await transport.close()
      return
    }
    current = transport
    transport.onStatus(setStatus)
    // A vendor's code may throw, at a key that it doesn't like for example.
    guard(onError, "connect", () => {
      for (const [channel, wish] of desired) join(channel, wish, transport)
      transport.connect()
    })
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
