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
import type { JsonValue } from "../../json.ts"
import { createListeners } from "../../listeners.ts"
import { requireAddress } from "../../required.ts"
import type {
  ChannelObserver,
  RealtimeTransport,
  TransportStatus,
  TransportSubscription,
} from "../../transport.ts"
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

export interface AblyTransportOptions extends TransportOptions {
  /** The pause between attempts, of the SDK (its own default is 15 s) and, doubling, at getting a token (500 ms). */
  retryMs?: number
}

interface Joined {
  observer: ChannelObserver
  messages: RealtimeChannel | null
  signals: RealtimeChannel | null
  isAttached: boolean
  watchesPresence: boolean
  data: JsonValue | undefined
  /** The data that others see. */
  entered: JsonValue | undefined
  /** Tells the answers of overlapping reads of the members apart. */
  reads: number
  /** The server left it out of the latest token, or the service refused it. */
  isDenied: boolean
  /** The service took nobody more among the members. */
  isFull: boolean
  /** The token in use doesn't let it be among the members. */
  isPresenceRefused: boolean
  /** Nor send signals: from then on they go to the server, which says what counts now. */
  isSignalRefused: boolean
}

/** https://ably.com/docs/platform/errors/codes: the channel has as many members as it may have. */
const tooManyMembers = 91003

/** The SDK waits 10 s for a token. */
const tokenTimeoutMs = 8_000
const maxTokenPauseMs = 10_000
/** Tokens are dated in whole seconds: one of the same second as the revocation would be revoked with the last. */
const revokedPauseMs = 1_000

/**
 * Browser: Ably over the official client's modular build; only what is used is downloaded. Throws `invalid-config` where that would connect to
 * nowhere.
 */
export function createAblyTransport(options: AblyTransportOptions): RealtimeTransport {
  const { config, credentials, retryMs } = options
  requireAddress(config, "endpoint")
  const onError = createReporter(options.onError)
  const listeners = createListeners<[TransportStatus]>(onError, "onStatus")
  const joined = new Map<string, Joined>()
  /** The channels that the token in use covers. */
  let granted = new Set<string>()
  let status: TransportStatus = { state: "connecting" }
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

  /** A token for all that is joined, or what Ably makes one of. What the server leaves out is told to its channel. */
  async function getToken(): Promise<string | TokenRequest> {
    const channels = [...joined.keys()]
    const answer = (await credentials({ channels })) as { token?: unknown; denied?: Record<string, unknown> }
    if (!isToken(answer.token)) {
      throw new RealtimeError("internal", { provider, message: "unable to connect; the token is malformed" })
    }
    const denied = answer.denied ?? {}
    granted = new Set(channels.filter((channel) => !Object.hasOwn(denied, channel)))
    for (const channel of channels) {
      const wish = joined.get(channel)
      if (!wish) continue
      wish.isPresenceRefused = false
      wish.isSignalRefused = false
      if (granted.has(channel)) wish.isDenied = false
      else deny(wish, fromWireError(denied[channel], provider))
    }
    return answer.token
  }

  function deny(wish: Joined, error: RealtimeError): void {
    if (wish.isDenied) return
    wish.isDenied = true
    wish.observer.onDenied(error)
  }

  /**
   * Asks for a token until there is one: to the SDK a passing failure costs 15 s of connecting, and all of a channel that
   * was joined later.
   */
  async function keepAsking(isStillWanted: () => boolean, isRevoked = false): Promise<string | TokenRequest> {
    if (isRevoked) await pause(revokedPauseMs)
    const backOff = { firstMs: retryMs ?? 500, maxMs: maxTokenPauseMs }
    for (let failures = 1; ; failures += 1) {
      try {
        return await getToken()
      } catch (error) {
        if (!isRealtimeError(error) || !error.retryable) throw error
        onError(error, { stage: "get a token" })
        await pause(backOffMs(backOff, failures, error))
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

  function setStatus(next: TransportStatus): void {
    if (status.state === "closed") return
    status = next
    listeners.tell(next)
  }

  function follow({ current, reason }: ConnectionStateChange): void {
    const state = fromAblyState(current, wasConnected)
    if (state === "closed") return
    if (state === "connected") {
      wasConnected = true
      authError = undefined
      if (status.state !== "connected") setStatus({ state })
      for (const [channel, wish] of joined) join(channel, wish)
      return
    }
    for (const wish of joined.values()) detached(wish)
    const error = authError ?? (reason ? fromAblyError(reason, "connect") : undefined)
    const isNews = error !== undefined && error.message !== status.error?.message
    if (state !== status.state || isNews) setStatus({ state, error })
  }

  function detached(wish: Joined): void {
    if (!wish.isAttached) return
    wish.isAttached = false
    wish.observer.onDetached()
  }

  /** Attaches a channel that the token covers; asks for a new token first where it doesn't. */
  function join(channel: string, wish: Joined): void {
    if (client?.connection.state !== "connected" || wish.messages) return
    if (granted.has(channel)) listen(channel, wish, client)
    else if (!wish.isDenied) void authorize(client)
  }

  /**
   * One new token for all that was joined in the same breath, and another one for what was joined meanwhile. It is had
   * before the SDK is told, for which a refusal would be the end of a connection that serves other channels.
   */
  function authorize(opened: BaseRealtime): Promise<void> {
    if (!isAuthorizing) {
      isAuthorizing = true
      authorizing = renewToken(opened)
    }
    return authorizing
  }

  async function renewToken(opened: BaseRealtime): Promise<void> {
    const uncovered = () =>
      [...joined].filter(([channel, wish]) => !granted.has(channel) && !wish.isDenied).map(([, wish]) => wish)
    const isWanted = () =>
      uncovered().length > 0 || [...joined.values()].some(({ isPresenceRefused }) => isPresenceRefused)
    const isStillWanted = () => opened.connection.state === "connected" && isWanted()
    try {
      while (isStillWanted()) {
        prepared = await keepAsking(isStillWanted)
        await opened.auth.authorize()
      }
    } catch (error) {
      const reason = fromAblyError(error, "renew the token")
      onError(reason, { stage: "authorize" })
      if (!reason.retryable) for (const wish of uncovered()) deny(wish, reason)
    }
    isAuthorizing = false
    for (const [channel, wish] of joined) if (granted.has(channel)) join(channel, wish)
  }

  function listen(channel: string, wish: Joined, opened: BaseRealtime): void {
    const messages = opened.channels.get(messagesChannel(channel))
    const signals = opened.channels.get(signalsChannel(channel))
    wish.messages = messages
    wish.signals = signals
    /** Attached is what both are. Ably attaches them again, by itself, after each interruption. */
    const follow = (change: ChannelStateChange) => {
      if (joined.get(channel) !== wish) return
      if (change.current === "failed") {
        detached(wish)
        // With its connection it only has to be joined again; by itself it was refused.
        if (opened.connection.state === "failed") forget(wish)
        else deny(wish, fromAblyError(change.reason, "join"))
      } else if (messages.state !== "attached" || signals.state !== "attached") {
        detached(wish)
      } else if (!wish.isAttached || !change.resumed) {
        // Also an update without `resumed`: Ably says that something may be missing.
        wish.isAttached = true
        wish.observer.onAttached()
        if (wish.data !== undefined)
          enter(wish, wish.data).catch((error) => onError(error, { stage: "presence" }))
        show(wish)
      }
    }
    messages.on(follow)
    signals.on(follow)
    const inBackground = (stage: string) => (error: unknown) => {
      if (joined.get(channel) === wish) onError(fromAblyError(error, stage), { stage })
    }
    for (const failed of [messages, signals]) {
      // What failed before is only attached again when that is said.
      if (failed.state === "failed") failed.attach().catch(inBackground("attach"))
    }
    messages
      .subscribe(messagesEvent, (inbound: InboundMessage) => {
        const received = fromAblyMessage(channel, inbound)
        if (received.length > 0) wish.observer.onMessages(received)
      })
      .catch(inBackground("subscribe"))
    signals
      .subscribe(signalEvent, (inbound: InboundMessage) => {
        const signal = fromAblySignal(channel, inbound)
        if (signal) wish.observer.onSignal(signal)
      })
      .catch(inBackground("subscribe to signals"))
    messages.presence.subscribe(() => show(wish)).catch(inBackground("subscribe to presence"))
  }

  /** Reads who is there and tells it; of several reads the last one started counts. */
  function show(wish: Joined): void {
    const { messages } = wish
    if (!messages || !wish.isAttached || !(wish.watchesPresence || wish.data !== undefined)) return
    wish.reads += 1
    const read = wish.reads
    messages.presence.get().then(
      (members) => {
        if (read !== wish.reads || wish.messages !== messages) return
        const limit = ablyCapabilities.maxPresenceMembers
        const snapshot = fromAblyMembers(members, limit)
        // Whoever isn't among them any more knows no more than that there are at least so many.
        wish.observer.onPresence(
          wish.isFull ? { count: Math.max(limit, snapshot.count), members: null } : snapshot,
        )
      },
      (error) => onError(fromAblyError(error, "read the members"), { stage: "presence" }),
    )
  }

  async function enter(wish: Joined, data: JsonValue): Promise<void> {
    // A token says what was allowed when it was made; only a new one can say something else.
    if (wish.isPresenceRefused && client) await authorize(client)
    // Left again, or entered with other data.
    if (wish.data !== data) return
    try {
      await wish.messages?.presence.enter(data)
      wish.isFull = false
      if (wish.data !== undefined) wish.entered = data
    } catch (error) {
      if ((error as { code?: unknown }).code === tooManyMembers) {
        wish.isFull = true
        show(wish)
        return
      }
      const reason = fromAblyError(error, "enter")
      wish.isPresenceRefused = reason.code === "channel-denied"
      if (!reason.retryable && wish.data === data) {
        // Data that was refused leaves things as they were.
        wish.data = data === wish.entered ? undefined : wish.entered
        wish.entered = wish.data
      }
      throw reason
    }
  }

  /** Listens to the SDK's channels no longer. */
  function forget(wish: Joined): RealtimeChannel[] {
    const channels = [wish.messages, wish.signals].filter((channel) => channel !== null)
    wish.messages = null
    wish.signals = null
    for (const channel of channels) {
      channel.unsubscribe()
      channel.off()
      channel.presence.unsubscribe()
    }
    return channels
  }

  function leave(wish: Joined): void {
    for (const channel of forget(wish)) {
      channel.detach().then(
        () => client?.channels.release(channel.name),
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
      return status
    },
    onStatus: listeners.add,
    connect() {
      if (status.state === "closed") return
      client ??= open()
      if (client.connection.state !== "connected" && client.connection.state !== "connecting")
        client.connect()
    },
    subscribe(channel, observer): TransportSubscription {
      const wish: Joined = {
        observer,
        messages: null,
        signals: null,
        isAttached: false,
        watchesPresence: false,
        data: undefined,
        entered: undefined,
        reads: 0,
        isDenied: false,
        isFull: false,
        isPresenceRefused: false,
        isSignalRefused: false,
      }
      joined.set(channel, wish)
      const signal: TransportSubscription["signal"] = async (event, payload, origin) => {
        if (!wish.signals)
          throw new RealtimeError("not-connected", { provider, message: "unable to send; not joined" })
        try {
          await wish.signals.publish({
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
          if (error.code === "channel-denied") wish.isSignalRefused = true
          throw error
        }
      }
      // Once all that is joined in this task is known: one token serves them all.
      queueMicrotask(() => joined.get(channel) === wish && join(channel, wish))
      return {
        get signal() {
          return wish.isSignalRefused ? undefined : signal
        },
        watchPresence() {
          wish.watchesPresence = true
          show(wish)
        },
        async enterPresence(data) {
          wish.data = data
          if (!wish.isAttached) return
          await enter(wish, data)
          show(wish)
        },
        async leavePresence() {
          if (wish.data === undefined) return
          wish.data = undefined
          wish.entered = undefined
          wish.isFull = false
          if (!wish.isAttached) return
          await wish.messages?.presence.leave().catch((error) => {
            throw fromAblyError(error, "leave")
          })
        },
        unsubscribe() {
          if (joined.get(channel) !== wish) return
          joined.delete(channel)
          leave(wish)
        },
      }
    },
    async close() {
      if (status.state === "closed") return
      joined.clear()
      setStatus({ state: "closed" })
      listeners.clear()
      client?.close()
    },
  }
}

/** Signed by the server: complete, or for Ably to complete. */
function isToken(value: unknown): value is string | TokenRequest {
  return typeof value === "string" || typeof (value as { mac?: unknown } | null | undefined)?.mac === "string"
}
