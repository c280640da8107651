import type { TransportOptions } from "../../client/create-realtime-client.ts"
import { createReporter } from "../../guard.ts"
import { createJoinedChannels } from "../../joined-channels.ts"
import { requireAddress } from "../../publisher.ts"
import type { RealtimeTransport, TransportSubscription } from "../../transport.ts"
import { createStatus } from "../../transport-status.ts"
import { ablyCapabilities } from "./capabilities.ts"
import { createConnection } from "./connection.ts"
import type { ChannelState } from "./joined.ts"
import { provider } from "./mapping.ts"
import { signalTo } from "./signals.ts"
import { createSubscriptions } from "./subscriptions.ts"

/** What `createAblyTransport` takes. */
export interface AblyTransportOptions extends TransportOptions {
  /**
   * The pause between attempts, of the SDK (its own default is 15 s) and,
   * doubling, at getting a token (500 ms).
   */
  retryMs?: number
}

/**
 * Browser: Ably over the official client's modular build; only what is used is downloaded. Throws
 * `invalid-config` where that would connect to nowhere.
 */
export function createAblyTransport(options: AblyTransportOptions): RealtimeTransport {
  const { config, retryMs } = options
  requireAddress(config, "endpoint")
  const onError = createReporter(options.onError)
  const status = createStatus(onError)
  const channels = createJoinedChannels<ChannelState>()
  const subscriptions = createSubscriptions({ ...options, channels, onError })
  const connection = createConnection({
    config,
    tokens: subscriptions.tokens,
    status,
    retryMs,
    onConnected: subscriptions.open,
    onInterrupted: channels.detachAll,
  })

  return {
    provider,
    capabilities: ablyCapabilities,
    get status() {
      return status.current
    },
    onStatus: status.onStatus,
    connect: connection.connect,
    subscribe(name, observer): TransportSubscription {
      const channel = channels.join(name, observer, { messages: null, signals: null, reads: 0 })
      const signal = signalTo(channel, connection.isConnected)
      // Once all that is joined in this task is known: one token serves them all.
      queueMicrotask(() => channel.isCurrent() && subscriptions.join(channel))
      return {
        get signal() {
          return channel.isSignalRefused ? undefined : signal
        },
        ...subscriptions.presence.in(channel),
        unsubscribe() {
          if (channel.leave()) subscriptions.leave(channel)
        },
      }
    },
    async close() {
      if (status.current.state === "closed") return
      channels.clear()
      status.set({ state: "closed" })
      connection.close()
    },
  }
}

/**
 * By the name that every provider has it by: `createThroughline({ ably: () =>
 * import("throughline/ably/client") })`.
 */
export { createAblyTransport as createTransport }
