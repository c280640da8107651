import { backOffMs, pause } from "../../back-off.ts"
import type { TransportCapabilities } from "../../capabilities.ts"
import { isRealtimeError, type OnError, RealtimeError } from "../../errors.ts"
import { createReporter } from "../../guard.ts"
import type { JsonValue } from "../../json.ts"
import { createListeners } from "../../listeners.ts"
import type { User } from "../../message.ts"
import { createMessageId } from "../../message-id.ts"
import type {
  ChannelObserver,
  RealtimeTransport,
  TransportStatus,
  TransportSubscription,
} from "../../transport.ts"
import { memoryCapabilities } from "./capabilities.ts"
import type { HubConnection, MemoryHub } from "./hub.ts"

export interface MemoryTransportOptions {
  hub: MemoryHub
  user: User
  capabilities?: TransportCapabilities
  /** The first pause after a failure; it doubles up to `maxRetryMs`. */
  retryMs?: number
  maxRetryMs?: number
  /** After how many failed attempts the state is `suspended`. */
  suspendAfter?: number
  onError: OnError
}

interface Joined {
  observer: ChannelObserver
  isAttached: boolean
  /** How often it was asked for; only the last one goes on. */
  attempts: number
  watchesPresence: boolean
  data: JsonValue | undefined
}

/** The reference transport: no network, no SDK, and the whole of what a provider must do. Start here to write one. */
export function createMemoryTransport(options: MemoryTransportOptions): RealtimeTransport {
  const { hub, user, capabilities = memoryCapabilities, retryMs = 20, suspendAfter = 5 } = options
  const { maxRetryMs = Math.max(1_000, retryMs) } = options
  const onError = createReporter(options.onError)
  const listeners = createListeners<[TransportStatus]>(onError, "onStatus")
  const joined = new Map<string, Joined>()
  let status: TransportStatus = { state: "connecting" }
  let isStarted = false
  let failures = 0
  let retryTimer: ReturnType<typeof setTimeout> | undefined

  const connection: HubConnection = {
    user,
    onMessages: (channel, messages) => joined.get(channel)?.observer.onMessages(messages),
    onSignal: (signal) => joined.get(signal.channel)?.observer.onSignal(signal),
    onPresence(channel, snapshot) {
      const wish = joined.get(channel)
      if (wish?.watchesPresence || wish?.data !== undefined) wish.observer.onPresence(snapshot)
    },
    onRevoked(channel) {
      const wish = joined.get(channel)
      if (!wish?.isAttached) return
      wish.isAttached = false
      wish.observer.onDetached()
      void attach(channel, wish)
    },
    onDropped() {
      if (status.state === "closed") return
      for (const wish of joined.values()) {
        if (!wish.isAttached) continue
        wish.isAttached = false
        wish.observer.onDetached()
      }
      setStatus({ state: "reconnecting" })
      void attempt()
    },
  }

  function setStatus(next: TransportStatus): void {
    status = next
    listeners.tell(next)
  }

  async function attempt(): Promise<void> {
    clearTimeout(retryTimer)
    retryTimer = undefined
    try {
      await hub.connect(connection)
    } catch (cause) {
      if (status.state === "closed") return
      const error = isRealtimeError(cause) ? cause : unavailable(cause)
      if (!error.retryable) {
        isStarted = false
        setStatus({ state: "failed", error })
        return
      }
      failures += 1
      const waiting = status.state === "connecting" ? "connecting" : "reconnecting"
      setStatus({ state: failures >= suspendAfter ? "suspended" : waiting, error })
      retryTimer = setTimeout(attempt, retryMs)
      return
    }
    if ((status.state as string) === "closed") {
      hub.disconnect(connection)
      return
    }
    failures = 0
    setStatus({ state: "connected" })
    for (const [channel, wish] of joined) void attach(channel, wish)
  }

  async function attach(channel: string, wish: Joined): Promise<void> {
    wish.attempts += 1
    const attempt = wish.attempts
    const isCurrent = () =>
      joined.get(channel) === wish && wish.attempts === attempt && status.state === "connected"
    for (let failures = 1; isCurrent(); failures += 1) {
      wish.observer.cursor()
      try {
        await hub.subscribe(connection, channel)
        if (isCurrent()) attached(channel, wish)
        return
      } catch (cause) {
        if (!isCurrent()) return
        const error = isRealtimeError(cause) ? cause : unavailable(cause)
        if (!error.retryable) return wish.observer.onDenied(error)
        if (failures === 1) onError(error, { stage: "subscribe" })
        await pause(backOffMs({ firstMs: retryMs, maxMs: maxRetryMs }, failures, error))
      }
    }
  }

  function attached(channel: string, wish: Joined): void {
    wish.isAttached = true
    wish.observer.onAttached()
    if (wish.data === undefined) return
    hub.enter(connection, channel, wish.data).catch((error: unknown) => onError(error, { stage: "presence" }))
  }

  return {
    provider: "memory",
    capabilities,
    get status() {
      return status
    },
    onStatus: listeners.add,
    connect() {
      if (status.state === "closed") return
      if (!isStarted) {
        isStarted = true
        setStatus({ state: "connecting" })
      } else if (!retryTimer) return
      void attempt()
    },
    subscribe(channel, observer): TransportSubscription {
      const wish: Joined = {
        observer,
        isAttached: false,
        attempts: 0,
        watchesPresence: false,
        data: undefined,
      }
      joined.set(channel, wish)
      if (status.state === "connected") void attach(channel, wish)
      return {
        async signal(event, payload, origin) {
          if (!wish.isAttached) throw notConnected()
          await hub.signal(connection, {
            id: createMessageId(),
            channel,
            event,
            payload,
            from: user,
            at: Date.now(),
            clock: "memory",
            origin,
          })
        },
        watchPresence() {
          wish.watchesPresence = true
          if (wish.isAttached) observer.onPresence(hub.snapshot(channel))
        },
        async enterPresence(data) {
          wish.data = data
          if (wish.isAttached) await hub.enter(connection, channel, data)
        },
        async leavePresence() {
          wish.data = undefined
          hub.leave(connection, channel)
        },
        unsubscribe() {
          if (joined.get(channel) !== wish) return
          joined.delete(channel)
          hub.unsubscribe(connection, channel)
        },
      }
    },
    async close() {
      if (status.state === "closed") return
      clearTimeout(retryTimer)
      joined.clear()
      hub.disconnect(connection)
      setStatus({ state: "closed" })
      listeners.clear()
    },
  }

  function notConnected(): RealtimeError {
    return new RealtimeError("not-connected", {
      provider: "memory",
      message: "unable to send; there is no connection",
    })
  }

  function unavailable(cause: unknown): RealtimeError {
    onError(cause, { stage: "connect" })
    return new RealtimeError("provider-unavailable", {
      provider: "memory",
      message: "unable to connect",
      cause,
    })
  }
}
