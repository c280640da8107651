import { io, type Socket } from "socket.io-client"
import { backOffMs, pause, randomBetween } from "../../back-off.ts"
import type { TransportOptions } from "../../client/create-realtime-client.ts"
import { isRealtimeError, RealtimeError } from "../../errors.ts"
import { createReporter } from "../../guard.ts"
import { createJoinedChannels, type JoinedChannel } from "../../joined-channels.ts"
import type { JsonValue } from "../../json.ts"
import { type PresenceSnapshot, parseSignal, parseWireMessages } from "../../message.ts"
import { fromWireResults } from "../../publish-result.ts"
import { requireAddress } from "../../publisher.ts"
import type { RealtimeTransport, TransportSubscription } from "../../transport.ts"
import { createStatus } from "../../transport-status.ts"
import { wireVersion } from "../../wire-version.ts"
import { socketIoCapabilities } from "./capabilities.ts"
import {
  applyPresenceChange,
  type ClientEvents,
  defaultSocketPath,
  fromAnswer,
  fromConnectError,
  fromDisconnectReason,
  fromSubscribeAnswer,
  provider,
  type ServerEvents,
} from "./mapping.ts"

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

interface ChannelState {
  snapshot: PresenceSnapshot | null
}

/** How long an attempt may take that doesn't begin with a WebSocket, and the longest that one does. */
const patientTimeoutMs = 20_000

/**
 * Browser: the bundled gateway, over the official client. WebSocket first, long-polling where that is blocked
 * or never answered. Throws `invalid-config` where that would connect to nowhere.
 */
export function createSocketIoTransport(options: SocketIoTransportOptions): RealtimeTransport {
  const { config, credentials } = options
  requireAddress(config, "url")
  const onError = createReporter(options.onError)
  const {
    suspendAfterMs = 60_000,
    answerTimeoutMs = 10_000,
    handshakeTimeoutMs = 4_000,
    firstPauseMs = 500,
    maxPauseMs = 5_000,
  } = options
  const status = createStatus(onError)
  const channels = createJoinedChannels<ChannelState>()
  let suspendTimer: ReturnType<typeof setTimeout> | undefined
  let restartTimer: ReturnType<typeof setTimeout> | undefined

  const socket: Socket<ServerEvents, ClientEvents> = io(
    typeof config.url === "string" ? config.url : undefined,
    {
      path: typeof config.path === "string" ? config.path : defaultSocketPath,
      autoConnect: false,
      // One socket per transport: two clients in one page must not share a connection by accident.
      forceNew: true,
      reconnectionDelay: firstPauseMs,
      reconnectionDelayMax: maxPauseMs,
      randomizationFactor: 0.5,
      ackTimeout: answerTimeoutMs,
      auth: (callback) => void authenticate(callback),
    },
  )

  let first: "websocket" | "polling" = "websocket"
  let webSocketTimeoutMs = handshakeTimeoutMs
  /** How often in a row it had no ticket. */
  let refusals = 0
  beginWith("websocket")

  /**
   * How the next attempts begin. A WebSocket is one request, and where it is refused, polling is tried in the
   * same attempt. Where nobody answers its handshake, as behind some proxies, it is polling: Socket.IO moves
   * up from it as soon as a WebSocket works.
   */
  function beginWith(transport: typeof first): void {
    first = transport
    const isWebSocket = first === "websocket"
    Object.assign(socket.io.opts, {
      transports: isWebSocket ? ["websocket", "polling"] : ["polling", "websocket"],
      tryAllTransports: isWebSocket,
    })
    socket.io.timeout(isWebSocket ? webSocketTimeoutMs : patientTimeoutMs)
  }

  /** Polling that fails as well (several gateways without stickiness) leaves the WebSocket more time. */
  function beginOtherwise({ message }: Error): void {
    if (first === "polling") beginWith("websocket")
    else if (message === "timeout") {
      webSocketTimeoutMs = Math.min(patientTimeoutMs, webSocketTimeoutMs * 2)
      beginWith("polling")
    }
  }

  socket.io.on("open", () => {
    socket.io.engine.once("upgrade", () => beginWith("websocket"))
  })

  /** A ticket lives for a minute, so each connection asks for its own. */
  async function authenticate(callback: (auth: object) => void): Promise<void> {
    try {
      callback({ ...((await credentials({})) as object), wire: wireVersion })
    } catch (cause) {
      const error = isRealtimeError(cause)
        ? cause
        : new RealtimeError("provider-unavailable", { provider, message: "unable to get a ticket", cause })
      refuse(error)
    }
  }

  /** The connection can't be made. What passes is tried again; the rest is said. */
  function refuse(error: RealtimeError): void {
    const { state } = status.current
    if (state === "closed" || state === "failed") return
    // Not only Engine.IO's connection: that waits for what is being written or upgraded, and tells of its
    // end later, when it isn't the reason.
    socket.disconnect()
    if (error.retryable) {
      interrupted(error)
      refusals += 1
      restart(backOffMs({ firstMs: firstPauseMs, maxMs: maxPauseMs }, refusals, error))
    } else fail(error)
  }

  function fail(error: RealtimeError): void {
    clearTimeout(suspendTimer)
    suspendTimer = undefined
    status.set({ state: "failed", error })
  }

  /** There is no connection, and one is being sought. */
  function interrupted(error: RealtimeError): void {
    const { state } = status.current
    if (state === "closed" || state === "failed") return
    suspendTimer ??= setTimeout(
      () => status.set({ state: "suspended", error: status.current.error }),
      suspendAfterMs,
    )
    status.set({ state: state === "connected" ? "reconnecting" : state, error })
    channels.detachAll()
  }

  socket.on("connect", () => {
    clearTimeout(suspendTimer)
    suspendTimer = undefined
    webSocketTimeoutMs = handshakeTimeoutMs
    refusals = 0
    status.set({ state: "connected" })
    for (const channel of channels) void attach(channel)
  })
  socket.on("connect_error", (cause) => {
    const error = fromConnectError(cause)
    // The ticket expired on a slow way, or was signed before the gateway's secret
    // changed: another one may be accepted.
    const isStaleTicket = error.code === "unauthorized"
    if (!error.retryable && !isStaleTicket) return fail(error)
    if (!isStaleTicket) beginOtherwise(cause)
    interrupted(error)
    if (!socket.active) restart()
  })
  socket.on("disconnect", (reason) => {
    const next = fromDisconnectReason(reason)
    if (next.error) interrupted(next.error)
    if (reason === "io server disconnect") restart()
  })
  socket.on("messages", (value) => {
    const messages = parseWireMessages(value)
    const [first] = messages
    if (first) channels.get(first.channel)?.observer.onMessages(messages)
  })
  socket.on("signal", (...values) => {
    for (const signal of values.map(parseSignal))
      if (signal) channels.get(signal.channel)?.observer.onSignal(signal)
  })
  socket.on("presence", (name, change) => {
    const channel = channels.get(name)
    if (!channel) return
    channel.snapshot = applyPresenceChange(channel.snapshot, change)
    if (channel.snapshot) channel.observer.onPresence(channel.snapshot)
  })
  socket.on("state", (name, patches) => channels.get(name)?.observer.onState?.(patches))

  socket.on("revoked", (name) => {
    const channel = channels.get(name)
    if (!channel) return
    channel.detached()
    // While it is being asked for too: the answer that is on its way was given before.
    void attach(channel)
  })

  /**
   * Without a network nobody answers, and what is asked would only time out. Engine.IO ends its
   * connection itself, except to `localhost` (engine.io-client 6.6, socket.js), where a chat that is
   * tried out would behave like no chat elsewhere.
   */
  function onOffline(): void {
    if (socket.connected) socket.io.engine.close()
  }
  if (typeof window !== "undefined") window.addEventListener("offline", onOffline)

  /** Socket.IO doesn't come back by itself after a refusal or when the server ended the session. */
  function restart(pauseMs = randomBetween(firstPauseMs, maxPauseMs)): void {
    clearTimeout(restartTimer)
    restartTimer = setTimeout(() => socket.connect(), pauseMs)
  }

  /** One request, answered by the gateway. Rejects with its error, or `not-connected`, or `timeout`. */
  async function request<Event extends keyof ClientEvents>(
    event: Event,
    ...args: unknown[]
  ): Promise<Record<string, unknown>> {
    if (!socket.connected) throw notConnected()
    const connection = socket.id
    let answer: unknown
    try {
      answer = await (socket as Socket).emitWithAck(event, ...args)
    } catch (cause) {
      if (!socket.connected) throw notConnected()
      const message = `unable to ${event}; there was no answer in ${answerTimeoutMs} ms`
      throw new RealtimeError("timeout", { provider, message, cause })
    }
    try {
      return fromAnswer(answer)
    } catch (error) {
      // What is sent while pings are overdue, as after a sleep, Socket.IO keeps for the next connection, and
      // sends there before all else. What is refused by it wasn't meant for it.
      throw socket.id === connection ? error : notConnected()
    }
  }

  async function attach(channel: JoinedChannel): Promise<void> {
    const { name, observer } = channel
    const isLatest = channel.beginAttempt()
    const isCurrent = () => isLatest() && socket.connected
    for (let failures = 1; ; failures += 1) {
      try {
        const page = fromSubscribeAnswer(await request("subscribe", name, observer.cursor()))
        if (!isCurrent()) return
        channel.attached(page)
        if (channel.wantsPresence) await request("watch", name)
        return await enterAgain(channel, isCurrent)
      } catch (cause) {
        if (!isCurrent()) return
        if (isRealtimeError(cause) && !cause.retryable) return observer.onDenied(cause)
        if (failures === 1) onError(cause, { stage: "subscribe" })
        if (!isRealtimeError(cause)) return
        await pauseBeforeNext(failures, cause)
        if (!isCurrent()) return
      }
    }
  }

  const pauseBeforeNext = (failures: number, error: RealtimeError) =>
    pause(backOffMs({ firstMs: firstPauseMs, maxMs: maxPauseMs }, failures, error))

  async function enter(channel: JoinedChannel, data: JsonValue): Promise<void> {
    try {
      await request("enter", channel.name, data)
      if (channel.data !== undefined) channel.entered = data
    } catch (error) {
      if (isFinal(error) && channel.data === data) channel.dataRefused()
      throw error
    }
  }

  /** Whom presence is refused by now, or where the server fails at it, is in the channel all the same. */
  async function enterAgain(channel: JoinedChannel, isCurrent: () => boolean): Promise<void> {
    for (let failures = 1; isCurrent() && channel.data !== undefined; ) {
      try {
        return await enter(channel, channel.data)
      } catch (error) {
        if (!isCurrent()) return
        if (isFinal(error) || failures === 1) onError(error, { stage: "presence" })
        if (!isRealtimeError(error)) return
        if (!error.retryable) continue
        await pauseBeforeNext(failures, error)
        failures += 1
      }
    }
  }

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
    connect() {
      if (status.current.state === "closed" || socket.connected) return
      if (status.current.state === "failed") status.set({ state: "connecting" })
      clearTimeout(restartTimer)
      // Between two attempts Socket.IO waits; starting over makes the next one now.
      if (socket.active && status.current.state !== "connecting") socket.disconnect()
      socket.connect()
    },
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
      clearTimeout(suspendTimer)
      clearTimeout(restartTimer)
      if (typeof window !== "undefined") window.removeEventListener("offline", onOffline)
      channels.clear()
      status.set({ state: "closed" })
      socket.disconnect()
    },
  }
}

const isFinal = (error: unknown) => isRealtimeError(error) && !error.retryable

const notConnected = () =>
  new RealtimeError("not-connected", { provider, message: "unable to send; there is no connection" })

/**
 * By the name that every provider has it by: `createThroughline({ socketio: () =>
 * import("throughline/socketio/client") })`.
 */
export { createSocketIoTransport as createTransport }
