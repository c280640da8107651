import type { TransportOptions } from "../../client/create-realtime-client.ts"
import { createReporter } from "../../guard.ts"
import { createJoinedChannels } from "../../joined-channels.ts"
import { requireAddress } from "../../publisher.ts"
import { requireVariables } from "../../required.ts"
import type { RealtimeTransport, TransportSubscription } from "../../transport.ts"
import { createStatus } from "../../transport-status.ts"
import { pusherCapabilities } from "./capabilities.ts"
import { createConnection } from "./connection.ts"
import type { ChannelState } from "./joined.ts"
import { listen } from "./listening.ts"
import { messagesChannel, provider } from "./mapping.ts"
import { createPresence } from "./presence.ts"
import { createSubscriptions } from "./subscriptions.ts"

/** What `createPusherTransport` takes. */
export interface PusherTransportOptions extends TransportOptions {
  /**
   * The first pause before asking again for a signature that failed in passing; it doubles. Default 500 ms.
   */
  retryMs?: number
  /** How long without a connection counts as long; then it is started over. Default 10 s. */
  unavailableTimeoutMs?: number
  /**
   * How long a connection may say nothing before the service is asked whether it is there. Default 30 s;
   * pusher-js itself waits for 120. Where the browser says that there is no network it is asked at once.
   */
  silenceMs?: number
  /**
   * How long the answer may take before the connection is taken for lost, and opened again. Default 10 s;
   * pusher-js itself waits for 30, in which a phone that left its network shows a connection that isn't
   * there.
   */
  answerMs?: number
}

/**
 * Browser: Pusher Channels, or a server of its protocol, over the official client. Throws `invalid-config`
 * where that would connect to nowhere.
 */
export function createPusherTransport(options: PusherTransportOptions): RealtimeTransport {
  const { config, retryMs = 500, unavailableTimeoutMs = 10_000 } = options
  const { silenceMs = 30_000, answerMs = 10_000 } = options
  requireVariables(provider, {
    PUSHER_KEY: config.key,
    "PUSHER_CLUSTER or PUSHER_HOST": config.host ?? config.cluster,
  })
  requireAddress(config, "host")
  const onError = createReporter(options.onError)
  const status = createStatus(onError)
  const channels = createJoinedChannels<ChannelState>()
  const subscriptions = createSubscriptions({ ...options, retryMs, onError })
  const presence = createPresence({ subscriptions, status, onError })
  const connection = createConnection({
    config,
    signing: subscriptions.signing,
    status,
    ...{ retryMs, unavailableTimeoutMs, silenceMs, answerMs },
    onOpened(client) {
      subscriptions.open(client)
      for (const channel of channels) {
        listen(channel, subscriptions)
        presence.refresh(channel)
      }
    },
    onInterrupted() {
      for (const channel of channels) {
        presence.settle(channel)
        channel.detached()
      }
    },
  })

  return {
    provider,
    capabilities: pusherCapabilities,
    get status() {
      return status.current
    },
    onStatus: status.onStatus,
    connect: connection.connect,
    subscribe(name, observer): TransportSubscription {
      const channel = channels.join(name, observer, {})
      listen(channel, subscriptions)
      return {
        ...presence.in(channel),
        unsubscribe() {
          if (!channel.leave()) return
          presence.forget(channel)
          subscriptions.unsubscribe(messagesChannel(name))
        },
      }
    },
    async close() {
      if (status.current.state === "closed") return
      for (const channel of channels) presence.settle(channel)
      channels.clear()
      subscriptions.close()
      status.set({ state: "closed" })
      connection.close()
    },
  }
}

/**
 * By the name that every provider has it by: `createThroughline({ pusher: () =>
 * import("throughline/pusher/client") })`.
 */
export { createPusherTransport as createTransport }
