import { backOffMs, pause } from "../../back-off.ts"
import type { TransportCapabilities } from "../../capabilities.ts"
import { isRealtimeError, type OnError, RealtimeError } from "../../errors.ts"
import { createReporter } from "../../guard.ts"
import { createJoinedChannels, type JoinedChannel } from "../../joined-channels.ts"
import type { User } from "../../message.ts"
import { createMessageId } from "../../message-id.ts"
import type { RealtimeTransport, TransportSubscription } from "../../transport.ts"
import { createStatus } from "../../transport-status.ts"
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

/**
 * The reference transport: no network, no SDK, and the whole of what a provider
 * must do. Start here to write one.
 */
export function createMemoryTransport(options: MemoryTransportOptions): RealtimeTransport {
  const { hub, user, capabilities = memoryCapabilities, retryMs = 20, suspendAfter = 5 } = options
  const { maxRetryMs = Math.max(1_000, retryMs) } = options
  const onError = createReporter(options.onError)
  const status = createStatus(onError)
  const channels = createJoinedChannels()
  let isStarted = false
  let failures = 0
  let retryTimer: ReturnType<typeof setTimeout> | undefined

  const connection: HubConnection = {
    user,
    onMessages: (name, messages) => channels.get(name)?.observer.onMessages(messages),
    onSignal: (signal) => channels.get(signal.channel)?.observer.onSignal(signal),
    onPresence(name, snapshot) {
      const channel = channels.get(name)
      if (channel?.wantsPresence) channel.observer.onPresence(snapshot)
    },
    onState: (name, patches) => channels.get(name)?.observer.onState?.(patches),
    onRevoked(name) {
      const channel = channels.get(name)
      if (!channel?.isAttached) return
      channel.detached()
      void attach(channel)
    },
    onDropped() {
      if (status.current.state === "closed") return
      channels.detachAll()
      status.set({ state: "reconnecting" })
      void attempt()
    },
  }

  async function attempt(): Promise<void> {
    clearTimeout(retryTimer)
    retryTimer = undefined
    try {
      await hub.connect(connection)
    } catch (cause) {
      if (status.current.state === "closed") return
      const error = isRealtimeError(cause) ? cause : unavailable(cause)
      if (!error.retryable) {
        isStarted = false
        status.set({ state: "failed", error })
        return
      }
      failures += 1
      const waiting = status.current.state === "connecting" ? "connecting" : "reconnecting"
      status.set({ state: failures >= suspendAfter ? "suspended" : waiting, error })
      retryTimer = setTimeout(attempt, retryMs)
      return
    }
    if (status.current.state === "closed") {
      hub.disconnect(connection)
      return
    }
    failures = 0
    status.set({ state: "connected" })
    for (const channel of channels) void attach(channel)
  }

  async function attach(channel: JoinedChannel): Promise<void> {
    const { name, observer } = channel
    const isLatest = channel.beginAttempt()
    const isCurrent = () => isLatest() && status.current.state === "connected"
    for (let failures = 1; isCurrent(); failures += 1) {
      observer.cursor()
      try {
        await hub.subscribe(connection, name)
        if (isCurrent()) attached(channel)
        return
      } catch (cause) {
        if (!isCurrent()) return
        const error = isRealtimeError(cause) ? cause : unavailable(cause)
        if (!error.retryable) return observer.onDenied(error)
        if (failures === 1) onError(error, { stage: "subscribe" })
        await pause(backOffMs({ firstMs: retryMs, maxMs: maxRetryMs }, failures, error))
      }
    }
  }

  function attached(channel: JoinedChannel): void {
    channel.attached()
    const { name, data } = channel
    if (data === undefined) return
    hub.enter(connection, name, data).catch((error: unknown) => onError(error, { stage: "presence" }))
  }

  return {
    provider: "memory",
    capabilities,
    get status() {
      return status.current
    },
    onStatus: status.onStatus,
    connect() {
      if (status.current.state === "closed") return
      if (!isStarted) {
        isStarted = true
        status.set({ state: "connecting" })
      } else if (!retryTimer) return
      void attempt()
    },
    subscribe(name, observer): TransportSubscription {
      const channel = channels.join(name, observer, {})
      if (status.current.state === "connected") void attach(channel)
      return {
        async signal(event, payload, origin) {
          if (!channel.isAttached) throw notConnected()
          await hub.signal(connection, {
            id: createMessageId(),
            channel: name,
            event,
            payload,
            from: user,
            at: Date.now(),
            clock: "memory",
            origin,
          })
        },
        watchPresence() {
          channel.watchesPresence = true
          if (channel.isAttached) observer.onPresence(hub.snapshot(name))
        },
        async enterPresence(data) {
          channel.data = data
          if (channel.isAttached) await hub.enter(connection, name, data)
        },
        async leavePresence() {
          channel.data = undefined
          hub.leave(connection, name)
        },
        unsubscribe() {
          if (channel.leave()) hub.unsubscribe(connection, name)
        },
      }
    },
    async close() {
      if (status.current.state === "closed") return
      clearTimeout(retryTimer)
      channels.clear()
      hub.disconnect(connection)
      status.set({ state: "closed" })
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
