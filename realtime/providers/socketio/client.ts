import { io, type Socket } from "socket.io-client"
import { backOffMs, pause, randomBetween } from "../../back-off.ts"
import type { TransportOptions } from "../../client/create-realtime-client.ts"
import { isRealtimeError, RealtimeError } from "../../errors.ts"
import { createReporter } from "../../guard.ts"
import type { JsonValue } from "../../json.ts"
import { createListeners } from "../../listeners.ts"
import { type PresenceSnapshot, parseSignal } from "../../message.ts"
import { fromWireResults } from "../../publish-result.ts"
import { requireAddress } from "../../required.ts"
import type {
  ChannelObserver,
  RealtimeTransport,
  TransportStatus,
  TransportSubscription,
} from "../../transport.ts"
import { socketIoCapabilities } from "./capabilities.ts"
import {
  applyPresenceChange,
  type ClientEvents,
  defaultSocketPath,
  fromAnswer,
  fromConnectError,
  fromDisconnectReason,
  fromMessagesEvent,
  fromSubscribeAnswer,
  provider,
  type ServerEvents,
} from "./mapping.ts"

export interface SocketIoTransportOptions
  extends Pick<TransportOptions, "config" | "credentials" | "onError"> {
  /** After how long without a connection the state is `suspended`. */
  suspendAfterMs?: number
  /** How long an answer of the gateway may take. */
  answerTimeoutMs?: number
  /** How long a WebSocket's handshake may take before long polling is tried; twice as long after each in vain. Default 4 s. */
  handshakeTimeoutMs?: number
  /** The first pause before reconnecting; it doubles up to `maxPauseMs`, with jitter. */
  firstPauseMs?: number
  maxPauseMs?: number
}

interface Joined {
  observer: ChannelObserver
  isAttached: boolean
  /** How often it was asked for; only the answer to the last counts. */
  attempts: number
  watchesPresence: boolean
  data: JsonValue | undefined
  /** The data that others see. */
  entered: JsonValue | undefined
  snapshot: PresenceSnapshot | null
}

/** How long an attempt may take that doesn't begin with a WebSocket, and the longest that one does. */
const patientTimeoutMs = 20_000

/**
 * Browser: the bundled gateway, over the official client. WebSocket first, long-polling where that is blocked or never answered. Throws
 * `invalid-config` where that would connect to nowhere.
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
  const listeners = createListeners<[TransportStatus]>(onError, "onStatus")
  const joined = new Map<string, Joined>()
  let status: TransportStatus = { state: "connecting" }
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
  beginWith("websocket")

  /**
   * How the next attempts begin. A WebSocket is one request, and where it is refused, polling is tried in the same attempt. Where
   * nobody answers its handshake, as behind some proxies, it is polling: Socket.IO moves up from it as soon as a WebSocket works.
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
      callback((await credentials({})) as object)
    } catch (cause) {
      const error = isRealtimeError(cause)
        ? cause
        : new RealtimeError("provider-unavailable", { provider, message: "unable to get a ticket", cause })
      refuse(error)
    }
  }

  /** The connection can't be made. What passes is tried again, with Socket.IO's own back-off; the rest is said. */
  function refuse(error: RealtimeError): void {
    if (error.retryable) {
      interrupted(error)
      if (socket.io.engine) socket.io.engine.close()
    } else {
      socket.disconnect()
      fail(error)
    }
  }

  function fail(error: RealtimeError): void {
    clearTimeout(suspendTimer)
    suspendTimer = undefined
    setStatus({ state: "failed", error })
  }

  function setStatus(next: TransportStatus): void {
    if (status.state === "closed") return
    status = next
    listeners.tell(next)
  }

  /** There is no connection, and one is being sought. */
  function interrupted(error: RealtimeError): void {
    if (status.state === "closed" || status.state === "failed") return
    suspendTimer ??= setTimeout(() => setStatus({ state: "suspended", error: status.error }), suspendAfterMs)
    setStatus({ state: status.state === "connected" ? "reconnecting" : status.state, error })
    for (const wish of joined.values()) detach(wish)
  }

  function detach(wish: Joined): void {
    if (!wish.isAttached) return
    wish.isAttached = false
    wish.observer.onDetached()
  }

  socket.on("connect", () => {
    clearTimeout(suspendTimer)
    suspendTimer = undefined
    webSocketTimeoutMs = handshakeTimeoutMs
    setStatus({ state: "connected" })
    for (const [channel, wish] of joined) void attach(channel, wish)
  })
  socket.on("connect_error", (cause) => {
    const error = fromConnectError(cause)
    // A ticket that expired on a slow way, or was signed before the gateway's secret changed: the next one may do.
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
    const messages = fromMessagesEvent(value)
    const [first] = messages
    if (first) joined.get(first.channel)?.observer.onMessages(messages)
  })
  socket.on("signal", (value) => {
    const signal = parseSignal(value)
    if (signal) joined.get(signal.channel)?.observer.onSignal(signal)
  })
  socket.on("presence", (channel, change) => {
    const wish = joined.get(channel)
    if (!wish) return
    wish.snapshot = applyPresenceChange(wish.snapshot, change)
    if (wish.snapshot) wish.observer.onPresence(wish.snapshot)
  })

  socket.on("revoked", (channel) => {
    const wish = joined.get(channel)
    if (!wish) return
    detach(wish)
    // While it is being asked for too: the answer that is on its way was given before.
    void attach(channel, wish)
  })

  /**
   * Without a network nobody answers, and what is asked would only time out. Engine.IO ends its connection itself, except to `localhost`
   * (engine.io-client 6.6, socket.js), where a chat that is tried out would behave like no chat elsewhere.
   */
  function onOffline(): void {
    if (socket.connected) socket.io.engine.close()
  }
  if (typeof window !== "undefined") window.addEventListener("offline", onOffline)

  /** Socket.IO doesn't come back by itself after a refusal or when the server ended the session. */
  function restart(): void {
    clearTimeout(restartTimer)
    restartTimer = setTimeout(() => socket.connect(), randomBetween(firstPauseMs, maxPauseMs))
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
      // What is sent while pings are overdue, as after a sleep, Socket.IO keeps for the next connection, and sends there before all
      // else. What is refused by it wasn't meant for it.
      throw socket.id === connection ? error : notConnected()
    }
  }

  async function attach(channel: string, wish: Joined): Promise<void> {
    wish.attempts += 1
    const attempt = wish.attempts
    const isCurrent = () => joined.get(channel) === wish && wish.attempts === attempt && socket.connected
    for (let failures = 1; ; failures += 1) {
      try {
        const page = fromSubscribeAnswer(await request("subscribe", channel, wish.observer.cursor()))
        if (!isCurrent()) return
        wish.isAttached = true
        wish.observer.onAttached(page)
        if (wish.watchesPresence || wish.data !== undefined) await request("watch", channel)
        return await enterAgain(channel, wish, isCurrent)
      } catch (cause) {
        if (!isCurrent()) return
        if (isRealtimeError(cause) && !cause.retryable) return wish.observer.onDenied(cause)
        if (failures === 1) onError(cause, { stage: "subscribe" })
        if (!isRealtimeError(cause)) return
        await pauseBeforeNext(failures, cause)
        if (!isCurrent()) return
      }
    }
  }

  const pauseBeforeNext = (failures: number, error: RealtimeError) =>
    pause(backOffMs({ firstMs: firstPauseMs, maxMs: maxPauseMs }, failures, error))

  /** Data that was refused leaves things as they were. */
  async function enter(channel: string, wish: Joined, data: JsonValue): Promise<void> {
    try {
      await request("enter", channel, data)
      if (wish.data !== undefined) wish.entered = data
    } catch (error) {
      if (isFinal(error) && wish.data === data) {
        wish.data = data === wish.entered ? undefined : wish.entered
        wish.entered = wish.data
      }
      throw error
    }
  }

  /** Whom presence is refused by now, or where the server fails at it, is in the channel all the same. */
  async function enterAgain(channel: string, wish: Joined, isCurrent: () => boolean): Promise<void> {
    for (let failures = 1; isCurrent() && wish.data !== undefined; ) {
      try {
        return await enter(channel, wish, wish.data)
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
      return status
    },
    onStatus: listeners.add,
    connect() {
      if (status.state === "closed" || socket.connected) return
      if (status.state === "failed") setStatus({ state: "connecting" })
      clearTimeout(restartTimer)
      // Between two attempts Socket.IO waits; starting over makes the next one now.
      if (socket.active && status.state !== "connecting") socket.disconnect()
      socket.connect()
    },
    subscribe(channel, observer): TransportSubscription {
      const wish: Joined = {
        observer,
        isAttached: false,
        attempts: 0,
        watchesPresence: false,
        data: undefined,
        entered: undefined,
        snapshot: null,
      }
      joined.set(channel, wish)
      if (socket.connected) queueMicrotask(() => joined.get(channel) === wish && void attach(channel, wish))
      return {
        async signal(event, payload, origin) {
          await request("signal", channel, event, payload, origin)
        },
        watchPresence() {
          if (wish.watchesPresence) return
          wish.watchesPresence = true
          if (wish.isAttached) request("watch", channel).catch(inBackground("watch presence"))
        },
        async enterPresence(data) {
          wish.data = data
          if (!wish.isAttached) return
          if (!wish.watchesPresence && !wish.snapshot) await request("watch", channel)
          await enter(channel, wish, data)
        },
        async leavePresence() {
          if (wish.data === undefined) return
          wish.data = undefined
          wish.entered = undefined
          if (wish.isAttached && socket.connected) await request("leave", channel)
        },
        unsubscribe() {
          if (joined.get(channel) !== wish) return
          joined.delete(channel)
          if (socket.connected) request("unsubscribe", channel).catch(inBackground("unsubscribe"))
        },
      }
    },
    async publish(channel, messages) {
      const { results } = await request("publish", channel, messages)
      return fromWireResults(results, messages)
    },
    async close() {
      if (status.state === "closed") return
      clearTimeout(suspendTimer)
      clearTimeout(restartTimer)
      if (typeof window !== "undefined") window.removeEventListener("offline", onOffline)
      joined.clear()
      setStatus({ state: "closed" })
      listeners.clear()
      socket.disconnect()
    },
  }
}

const isFinal = (error: unknown) => isRealtimeError(error) && !error.retryable

const notConnected = () =>
  new RealtimeError("not-connected", { provider, message: "unable to send; there is no connection" })
