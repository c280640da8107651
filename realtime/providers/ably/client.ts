import type {
  ChannelStateChange,
  ClientOptions,
  ConnectionStateChange,
  ErrorInfo,
  InboundMessage,
  RealtimeChannel,
} from "ably"
import { BaseRealtime, FetchRequest, RealtimePresence, WebSocketTransport } from "ably/modular"
import type { TransportOptions } from "../../client/create-realtime-client.ts"
import { isRealtimeError, RealtimeError } from "../../errors.ts"
import { createReporter } from "../../guard.ts"
import { createJoinedChannels } from "../../joined-channels.ts"
import { requireAddress } from "../../publisher.ts"
import type { RealtimeTransport, TransportSubscription } from "../../transport.ts"
import { createStatus } from "../../transport-status.ts"
import { ablyCapabilities } from "./capabilities.ts"
import type { ChannelState, Joined } from "./joined.ts"
import {
  fromAblyData,
  fromAblyError,
  fromAblyMessage,
  fromAblySignal,
  fromAblyState,
  messagesChannel,
  messagesEvent,
  provider,
  signalEvent,
  signalExtras,
  signalsChannel,
  stateEvent,
  toAblyData,
} from "./mapping.ts"
import { createPresence } from "./presence.ts"
import { createTokens } from "./tokens.ts"

/** What `createAblyTransport` takes. */
export interface AblyTransportOptions extends TransportOptions {
  /**
   * The pause between attempts, of the SDK (its own default is 15 s) and,
   * doubling, at getting a token (500 ms).
   */
  retryMs?: number
}

/** https://ably.com/docs/platform/errors/codes: the token was taken back. */
const tokenRevoked = 40141

/**
 * Browser: Ably over the official client's modular build; only what is used is downloaded. Throws
 * `invalid-config` where that would connect to nowhere.
 */
export function createAblyTransport(options: AblyTransportOptions): RealtimeTransport {
  const { config, credentials, retryMs } = options
  requireAddress(config, "endpoint")
  const onError = createReporter(options.onError)
  const status = createStatus(onError)
  const channels = createJoinedChannels<ChannelState>()
  /**
   * The channels that are being left. The SDK would take the service's answer to that for the end of an
   * attachment that is asked for meanwhile, and try again after 15 s.
   */
  const leaving = new Set<string>()
  let wasConnected = false
  let client: BaseRealtime | null = null
  let authError: RealtimeError | undefined
  const tokens = createTokens({ credentials, channels, retryMs, onJoinable: join, onPutOff: goOut, onError })
  const presence = createPresence({
    renewToken: async () => {
      if (client) await tokens.renew(client)
    },
    onError,
  })

  function open(): BaseRealtime {
    const { endpoint, port, tls } = config
    const opened = new BaseRealtime({
      plugins: { FetchRequest, RealtimePresence, WebSocketTransport },
      autoConnect: false,
      // A signal's sender shows it already; messages are published by the server.
      echoMessages: false,
      // What can't be sent now is refused now: the client above decides whether to try again.
      queueMessages: false,
      transports: ["web_socket"],
      logLevel: 1,
      ...(retryMs !== undefined && { disconnectedRetryTimeout: retryMs, suspendedRetryTimeout: retryMs }),
      ...(typeof endpoint === "string" && { endpoint, disableConnectivityCheck: true }),
      ...(tls === false && { tls }),
      ...(typeof port === "number" && (tls === false ? { port } : { tlsPort: port })),
      authCallback(_, callback) {
        tokens.next(opened.connection.errorReason?.code === tokenRevoked).then(
          (token) => callback(null, token),
          (error: unknown) => callback(toAuthError(error), null),
        )
      },
    } as ClientOptions & ConstructorParameters<typeof BaseRealtime>[0])
    opened.connection.on((change) => follow(change))
    return opened
  }

  /** To the SDK, 403 is an end and anything else passes. */
  function toAuthError(value: unknown): ErrorInfo {
    authError = isRealtimeError(value) ? value : fromAblyError(value, "get a token")
    const isFinal = !authError.retryable
    const { name, message } = authError
    return { name, message, code: isFinal ? 40300 : 50000, statusCode: isFinal ? 403 : 500 } as ErrorInfo
  }

  function follow({ current, reason }: ConnectionStateChange): void {
    const state = fromAblyState(current, wasConnected)
    if (state === "closed") return
    if (state === "connected") {
      wasConnected = true
      tokens.taken()
      authError = undefined
      if (status.current.state !== "connected") status.set({ state })
      for (const channel of channels) join(channel)
      return
    }
    channels.detachAll()
    const error = authError ?? (reason ? fromAblyError(reason, "connect") : undefined)
    const isNews = error !== undefined && error.message !== status.current.error?.message
    if (state !== status.current.state || isNews) status.set({ state, error })
  }

  /** Attaches a channel that the token covers; asks for a new token first where it doesn't. */
  function join(channel: Joined): void {
    if (client?.connection.state !== "connected" || channel.messages || leaving.has(channel.name)) return
    if (tokens.covers(channel.name)) listen(channel, client)
    else if (tokens.isWantedFor(channel)) void tokens.renew(client)
  }

  function listen(channel: Joined, opened: BaseRealtime): void {
    const messages = opened.channels.get(messagesChannel(channel.name))
    const signals = opened.channels.get(signalsChannel(channel.name))
    channel.messages = messages
    channel.signals = signals
    /** Attached is what both are. Ably attaches them again, by itself, after each interruption. */
    const follow = (change: ChannelStateChange) => {
      if (!channel.isCurrent()) return
      if (change.current === "failed") {
        channel.detached()
        // With its connection it only has to be joined again; by itself it was refused.
        if (opened.connection.state === "failed") forget(channel)
        else tokens.deny(channel, fromAblyError(change.reason, "join"))
      } else if (messages.state !== "attached" || signals.state !== "attached") {
        channel.detached()
      } else if (!channel.isAttached || !change.resumed) {
        // Also an update without `resumed`: Ably says that something may be missing.
        channel.attached()
        if (channel.data !== undefined)
          presence.enter(channel, channel.data).catch((error) => onError(error, { stage: "presence" }))
        presence.show(channel)
      }
    }
    messages.on(follow)
    signals.on(follow)
    const inBackground = (stage: string) => (error: unknown) => {
      if (channel.isCurrent()) onError(fromAblyError(error, stage), { stage })
    }
    for (const failed of [messages, signals]) {
      // What failed before is only attached again when that is said.
      if (failed.state === "failed") failed.attach().catch(inBackground("attach"))
    }
    messages
      .subscribe(messagesEvent, (inbound: InboundMessage) => {
        const received = fromAblyMessage(channel.name, inbound)
        if (received.length > 0) channel.observer.onMessages(received)
      })
      .catch(inBackground("subscribe"))
    messages
      .subscribe(stateEvent, (inbound: InboundMessage) =>
        channel.observer.onState?.(fromAblyData(inbound.data)),
      )
      .catch(inBackground("subscribe to state"))
    signals
      .subscribe(signalEvent, (inbound: InboundMessage) => {
        const signal = fromAblySignal(channel.name, inbound)
        if (signal) channel.observer.onSignal(signal)
      })
      .catch(inBackground("subscribe to signals"))
    messages.presence.subscribe(() => presence.show(channel)).catch(inBackground("subscribe to presence"))
  }

  /** The service would end what the token no longer covers: it is left before. */
  function goOut(channel: Joined): void {
    if (!channel.messages) return
    channel.detached()
    leave(channel)
  }

  /** Listens to the SDK's channels no longer. */
  function forget(channel: Joined): RealtimeChannel[] {
    const both = [channel.messages, channel.signals].filter((one) => one !== null)
    channel.messages = null
    channel.signals = null
    for (const one of both) {
      one.unsubscribe()
      one.off()
      one.presence.unsubscribe()
    }
    return both
  }

  function leave(channel: Joined): void {
    const { name } = channel
    const left = forget(channel).map((one) =>
      one.detach().then(
        () => client?.channels.release(one.name),
        () => {
          // Without a connection there is nothing to leave.
        },
      ),
    )
    if (left.length === 0) return
    leaving.add(name)
    Promise.all(left).then(() => {
      leaving.delete(name)
      const next = channels.get(name)
      if (next) join(next)
    })
  }

  return {
    provider,
    capabilities: ablyCapabilities,
    get status() {
      return status.current
    },
    onStatus: status.onStatus,
    connect() {
      if (status.current.state === "closed") return
      client ??= open()
      if (client.connection.state !== "connected" && client.connection.state !== "connecting")
        client.connect()
    },
    subscribe(name, observer): TransportSubscription {
      const channel = channels.join(name, observer, {
        messages: null,
        signals: null,
        reads: 0,
      })
      const signal: TransportSubscription["signal"] = async (event, payload, origin) => {
        if (!channel.signals)
          throw new RealtimeError("not-connected", { provider, message: "unable to send; not joined" })
        try {
          await channel.signals.publish({
            name: signalEvent,
            data: toAblyData({ event, payload, origin }),
            extras: signalExtras,
          })
        } catch (cause) {
          const error =
            client?.connection.state === "connected"
              ? fromAblyError(cause, "send a signal")
              : new RealtimeError("not-connected", {
                  provider,
                  message: "unable to send; there is no connection",
                })
          if (error.code === "channel-denied") channel.isSignalRefused = true
          throw error
        }
      }
      // Once all that is joined in this task is known: one token serves them all.
      queueMicrotask(() => channel.isCurrent() && join(channel))
      return {
        get signal() {
          return channel.isSignalRefused ? undefined : signal
        },
        watchPresence() {
          channel.watchesPresence = true
          presence.show(channel)
        },
        async enterPresence(data) {
          channel.data = data
          if (!channel.isAttached) return
          await presence.enter(channel, data)
          presence.show(channel)
        },
        leavePresence: () => presence.leave(channel),
        unsubscribe() {
          if (channel.leave()) leave(channel)
        },
      }
    },
    async close() {
      if (status.current.state === "closed") return
      channels.clear()
      status.set({ state: "closed" })
      client?.close()
    },
  }
}

/**
 * By the name that every provider has it by: `createThroughline({ ably: () =>
 * import("throughline/ably/client") })`.
 */
export { createAblyTransport as createTransport }
