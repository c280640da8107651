import type { TransportOptions } from "../../client/create-realtime-client.ts"
import { isRealtimeError } from "../../errors.ts"
import { createReporter } from "../../guard.ts"
import { createJoinedChannels } from "../../joined-channels.ts"
import { fromWireResults } from "../../publish-result.ts"
import { requireAddress } from "../../publisher.ts"
import type { RealtimeTransport, TransportSubscription } from "../../transport.ts"
import { createStatus } from "../../transport-status.ts"
import { socketIoCapabilities } from "./capabilities.ts"
import { createConnection } from "./connection.ts"
import { type ChannelState, followDeliveries } from "./deliveries.ts"
import { createJoining } from "./joining.ts"
import { provider } from "./mapping.ts"
import { createRequest } from "./requests.ts"

/** What `createSocketIoTransport` takes. */
export interface SocketIoTransportOptions
  extends Pick<TransportOptions, "config" | "credentials" | "onError"> {
  /** After how long without a connection the state is `suspended`. Default 60 s. */
  suspendAfterMs?: number
  /** How long an answer of the gateway may take. Default 10 s. */
  answerTimeoutMs?: number
  /**
   * How long a WebSocket's handshake may take before long polling is tried; twice as long
   * after each in vain. Default 4 s.
   */
  handshakeTimeoutMs?: number
  /** The first pause before reconnecting; it doubles up to `maxPauseMs`, with jitter. Default 500 ms. */
  firstPauseMs?: number
  /** The longest such pause. Default 5 s. */
  maxPauseMs?: number
}

/**
 * Browser: the bundled gateway, over the official client. WebSocket first, long-polling where that is blocked
 * or never answered. Throws `invalid-config` where that would connect to nowhere.
 */
export function createSocketIoTransport(options: SocketIoTransportOptions): RealtimeTransport {
  requireAddress(options.config, "url")
  const onError = createReporter(options.onError)
  const { answerTimeoutMs = 10_000, firstPauseMs = 500, maxPauseMs = 5_000 } = options
  const backOff = { firstMs: firstPauseMs, maxMs: maxPauseMs }
  const status = createStatus(onError)
  const channels = createJoinedChannels<ChannelState>()
  const connection = createConnection(options, answerTimeoutMs, backOff, status, channels.detachAll)
  const { socket } = connection
  const request = createRequest(socket, answerTimeoutMs)
  const { attach, enter } = createJoining(socket, request, backOff, onError)
  followDeliveries(socket, channels)
  socket.on("connect", () => {
    for (const channel of channels) void attach(channel)
  })
  socket.on("revoked", (name) => {
    const channel = channels.get(name)
    if (!channel) return
    channel.detached()
    // While it is being asked for too: the answer that is on its way was given before.
    void attach(channel)
  })

  const inBackground = (stage: string) => (error: unknown) => {
    if (isRealtimeError(error) && error.code === "not-connected") return
    onError(error, { stage })
  }

  return {
    provider,
    capabilities: socketIoCapabilities,
    get status() {
      return status.current
    },
    onStatus: status.onStatus,
    connect: connection.connect,
    subscribe(name, observer): TransportSubscription {
      const channel = channels.join(name, observer, { snapshot: null })
      if (socket.connected) queueMicrotask(() => channel.isCurrent() && void attach(channel))
      return {
        async signal(event, payload, origin) {
          await request("signal", name, event, payload, origin)
        },
        watchState: (wanted) => request("state", name, wanted),
        watchPresence() {
          if (channel.watchesPresence) return
          channel.watchesPresence = true
          if (channel.isAttached) request("watch", name).catch(inBackground("watch presence"))
        },
        async enterPresence(data) {
          channel.data = data
          if (!channel.isAttached) return
          if (!channel.watchesPresence && !channel.snapshot) await request("watch", name)
          await enter(channel, data)
        },
        async leavePresence() {
          if (channel.data === undefined) return
          channel.data = undefined
          channel.entered = undefined
          if (channel.isAttached && socket.connected) await request("leave", name)
        },
        unsubscribe() {
          if (!channel.leave()) return
          if (socket.connected) request("unsubscribe", name).catch(inBackground("unsubscribe"))
        },
      }
    },
    async publish(channel, messages) {
      const { results } = await request("publish", channel, messages)
      return fromWireResults(results, messages)
    },
    async close() {
      if (status.current.state === "closed") return
      channels.clear()
      connection.close()
    },
  }
}

/**
 * By the name that every provider has it by: `createThroughline({ socketio: () =>
 * import("throughline/socketio/client") })`.
 */
export { createSocketIoTransport as createTransport }
