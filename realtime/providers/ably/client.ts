import type {
  ChannelStateChange,
  ClientOptions,
  ConnectionStateChange,
  ErrorInfo,
  InboundMessage,
  RealtimeChannel,
  TokenRequest,
} from "ably"
import { BaseRealtime, FetchRequest, RealtimePresence, WebSocketTransport } from "ably/modular"
import { backOffMs, pause } from "../../back-off.ts"
import type { TransportOptions } from "../../client/create-realtime-client.ts"
import { fromWireError, isRealtimeError, RealtimeError } from "../../errors.ts"
import { createReporter } from "../../guard.ts"
import { createJoinedChannels, type JoinedChannel } from "../../joined-channels.ts"
import type { JsonValue } from "../../json.ts"
import { requireAddress } from "../../publisher.ts"
import type { RealtimeTransport, TransportSubscription } from "../../transport.ts"
import { createStatus } from "../../transport-status.ts"
import { ablyCapabilities } from "./capabilities.ts"
import {
  fromAblyError,
  fromAblyMembers,
  fromAblyMessage,
  fromAblySignal,
  fromAblyState,
  messagesChannel,
  messagesEvent,
  provider,
  signalEvent,
  signalExtras,
  signalsChannel,
  toAblyData,
} from "./mapping.ts"

/** What `createAblyTransport` takes. */
export interface AblyTransportOptions extends TransportOptions {
  /**
   * The pause between attempts, of the SDK (its own default is 15 s) and,
   * doubling, at getting a token (500 ms).
   */
  retryMs?: number
}

interface ChannelState {
  messages: RealtimeChannel | null
  signals: RealtimeChannel | null
  /** Tells the answers of overlapping reads of the members apart. */
  reads: number
  /** The server left it out of the latest token, or the service refused it. */
  isDenied: boolean
  /** The server couldn't say yet whether it may be joined; it is asked again after a pause. */
  isPutOff: boolean
  /** How many times in a row the server couldn't say. */
  failures: number
  /** The service said that the channel has as many members as it may have. */
  isFull: boolean
  /** The token in use doesn't let it be among the members. */
  isPresenceRefused: boolean
  /** Nor send signals: from then on they go to the server, which says what counts now. */
  isSignalRefused: boolean
}

type Joined = JoinedChannel & ChannelState

/** https://ably.com/docs/platform/errors/codes: the channel has as many members as it may have. */
const tooManyMembers = 91003

/** The SDK waits 10 s for a token. */
const tokenTimeoutMs = 8_000
const firstTokenPauseMs = 500
const maxTokenPauseMs = 10_000
/**
 * Tokens are dated in whole seconds: one of the same second as the revocation would be revoked with the last.
 */
const revokedPauseMs = 1_000

/**
 * Browser: Ably over the official client's modular build; only what is used is downloaded. Throws
 * `invalid-config` where that would connect to nowhere.
 */
export function createAblyTransport(options: AblyTransportOptions): RealtimeTransport {
  const { config, credentials, retryMs } = options
  const tokenBackOff = { firstMs: retryMs ?? firstTokenPauseMs, maxMs: maxTokenPauseMs }
  requireAddress(config, "endpoint")
  const onError = createReporter(options.onError)
  const status = createStatus(onError)
  const channels = createJoinedChannels<ChannelState>()
  /** The channels that the token in use covers. */
  let granted = new Set<string>()
  let wasConnected = false
  let client: BaseRealtime | null = null
  let authError: RealtimeError | undefined
  let isAuthorizing = false
  let authorizing = Promise.resolve()
  /** A token that was asked for ahead of the SDK's own request. */
  let prepared: string | TokenRequest | undefined

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
        const ready = prepared
        prepared = undefined
        const end = performance.now() + tokenTimeoutMs
        const isRevoked = opened.connection.errorReason?.code === 40141
        ;(ready ? Promise.resolve(ready) : keepAsking(() => performance.now() < end, isRevoked)).then(
          (token) => callback(null, token),
          (error: unknown) => callback(toAuthError(error), null),
        )
      },
    } as ClientOptions & ConstructorParameters<typeof BaseRealtime>[0])
    opened.connection.on((change) => follow(change))
    return opened
  }

  /**
   * A token for all that is joined, or what Ably makes one of. What the server refuses is told to its
   * channel; what it couldn't decide yet is asked for again later, and holds nothing else up.
   */
  async function getToken(): Promise<string | TokenRequest> {
    const names = [...channels].map(({ name }) => name)
    const answer = (await credentials({ channels: names })) as {
      token?: unknown
      denied?: Record<string, unknown>
    }
    if (!isToken(answer.token)) {
      throw new RealtimeError("internal", { provider, message: "unable to connect; the token is malformed" })
    }
    const denied = answer.denied ?? {}
    granted = new Set(names.filter((name) => !Object.hasOwn(denied, name)))
    for (const name of names) {
      const channel = channels.get(name)
      if (!channel) continue
      channel.isPresenceRefused = false
      channel.isSignalRefused = false
      if (granted.has(name)) {
        channel.isDenied = false
        channel.failures = 0
        continue
      }
      const error = fromWireError(denied[name], provider)
      if (error.retryable) putOff(channel, error)
      else deny(channel, error)
    }
    return answer.token
  }

  /** The new token no longer covers it, so the service would end it: it is left until the server has decided. */
  function putOff(channel: Joined, error: RealtimeError): void {
    if (channel.messages) {
      channel.detached()
      leave(channel)
    }
    if (channel.isPutOff) return
    channel.isPutOff = true
    channel.failures += 1
    onError(error, { stage: `get a token for ${channel.name}` })
    pause(backOffMs(tokenBackOff, channel.failures, error)).then(() => {
      channel.isPutOff = false
      if (channel.isCurrent()) join(channel)
    })
  }

  function deny(channel: Joined, error: RealtimeError): void {
    if (channel.isDenied) return
    channel.isDenied = true
    channel.observer.onDenied(error)
  }

  /**
   * Asks for a token until there is one: to the SDK a passing failure costs 15 s of connecting, and all of
   * a channel that was joined later.
   */
  async function keepAsking(isStillWanted: () => boolean, isRevoked = false): Promise<string | TokenRequest> {
    if (isRevoked) await pause(revokedPauseMs)
    for (let failures = 1; ; failures += 1) {
      try {
        return await getToken()
      } catch (error) {
        if (!isRealtimeError(error) || !error.retryable) throw error
        onError(error, { stage: "get a token" })
        await pause(backOffMs(tokenBackOff, failures, error))
        if (!isStillWanted()) throw error
      }
    }
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

  const isUncovered = ({ name, isDenied, isPutOff }: Joined) => !granted.has(name) && !isDenied && !isPutOff

  /** Attaches a channel that the token covers; asks for a new token first where it doesn't. */
  function join(channel: Joined): void {
    if (client?.connection.state !== "connected" || channel.messages) return
    if (granted.has(channel.name)) listen(channel, client)
    else if (isUncovered(channel)) void authorize(client)
  }

  /**
   * One new token for all that was joined in the same breath, and another one for what was joined
   * meanwhile. It is had before the SDK is told, for which a refusal would be the end of a
   * connection that serves other channels.
   */
  function authorize(opened: BaseRealtime): Promise<void> {
    if (!isAuthorizing) {
      isAuthorizing = true
      authorizing = renewToken(opened)
    }
    return authorizing
  }

  async function renewToken(opened: BaseRealtime): Promise<void> {
    const uncovered = () => [...channels].filter(isUncovered)
    const isWanted = () =>
      uncovered().length > 0 || [...channels].some(({ isPresenceRefused }) => isPresenceRefused)
    const isStillWanted = () => opened.connection.state === "connected" && isWanted()
    try {
      while (isStillWanted()) {
        prepared = await keepAsking(isStillWanted)
        await opened.auth.authorize()
      }
    } catch (error) {
      const reason = fromAblyError(error, "renew the token")
      onError(reason, { stage: "authorize" })
      if (!reason.retryable) for (const channel of uncovered()) deny(channel, reason)
    }
    isAuthorizing = false
    for (const channel of channels) if (granted.has(channel.name)) join(channel)
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
        else deny(channel, fromAblyError(change.reason, "join"))
      } else if (messages.state !== "attached" || signals.state !== "attached") {
        channel.detached()
      } else if (!channel.isAttached || !change.resumed) {
        // Also an update without `resumed`: Ably says that something may be missing.
        channel.attached()
        if (channel.data !== undefined)
          enter(channel, channel.data).catch((error) => onError(error, { stage: "presence" }))
        show(channel)
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
    signals
      .subscribe(signalEvent, (inbound: InboundMessage) => {
        const signal = fromAblySignal(channel.name, inbound)
        if (signal) channel.observer.onSignal(signal)
      })
      .catch(inBackground("subscribe to signals"))
    messages.presence.subscribe(() => show(channel)).catch(inBackground("subscribe to presence"))
  }

  /** Reads who is there and tells it; of several reads the last one started counts. */
  function show(channel: Joined): void {
    const { messages } = channel
    if (!messages || !channel.isAttached || !channel.wantsPresence) return
    channel.reads += 1
    const read = channel.reads
    messages.presence.get().then(
      (members) => {
        if (read !== channel.reads || channel.messages !== messages) return
        const limit = ablyCapabilities.maxPresenceMembers
        const snapshot = fromAblyMembers(members, limit)
        // Whoever isn't among them any more knows no more than that there are at least so many.
        channel.observer.onPresence(
          channel.isFull ? { count: Math.max(limit, snapshot.count), members: null } : snapshot,
        )
      },
      (error) => onError(fromAblyError(error, "read the members"), { stage: "presence" }),
    )
  }

  async function enter(channel: Joined, data: JsonValue): Promise<void> {
    // A token says what was allowed when it was made; only a new one can say something else.
    if (channel.isPresenceRefused && client) await authorize(client)
    // Left again, or entered with other data.
    if (channel.data !== data) return
    try {
      await channel.messages?.presence.enter(data)
      channel.isFull = false
      if (channel.data !== undefined) channel.entered = data
    } catch (error) {
      if ((error as { code?: unknown }).code === tooManyMembers) {
        channel.isFull = true
        show(channel)
        return
      }
      const reason = fromAblyError(error, "enter")
      channel.isPresenceRefused = reason.code === "channel-denied"
      if (!reason.retryable && channel.data === data) channel.dataRefused()
      throw reason
    }
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
    for (const one of forget(channel)) {
      one.detach().then(
        () => client?.channels.release(one.name),
        () => {
          // Without a connection there is nothing to leave.
        },
      )
    }
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
        isDenied: false,
        isPutOff: false,
        failures: 0,
        isFull: false,
        isPresenceRefused: false,
        isSignalRefused: false,
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
          show(channel)
        },
        async enterPresence(data) {
          channel.data = data
          if (!channel.isAttached) return
          await enter(channel, data)
          show(channel)
        },
        async leavePresence() {
          if (channel.data === undefined) return
          channel.data = undefined
          channel.entered = undefined
          channel.isFull = false
          if (!channel.isAttached) return
          await channel.messages?.presence.leave().catch((error) => {
            throw fromAblyError(error, "leave")
          })
        },
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

/** Signed by the server: complete, or for Ably to complete. */
function isToken(value: unknown): value is string | TokenRequest {
  return typeof value === "string" || typeof (value as { mac?: unknown } | null | undefined)?.mac === "string"
}

/**
 * By the name that every provider has it by: `createThroughline({ ably: () =>
 * import("throughline/ably/client") })`.
 */
export { createAblyTransport as createTransport }
