import { io } from "socket.io-client"
import { type BackOff, backOffMs, randomBetween } from "../../back-off.ts"
import type { TransportOptions } from "../../client/create-realtime-client.ts"
import { isRealtimeError, RealtimeError } from "../../errors.ts"
import type { StatusHolder } from "../../transport-status.ts"
import { wireVersion } from "../../wire-version.ts"
import { createHandshake } from "./handshake.ts"
import { createInterruption } from "./interruption.ts"
import { defaultSocketPath, fromConnectError, fromDisconnectReason, provider } from "./mapping.ts"
import type { GatewaySocket } from "./requests.ts"

export interface ConnectionOptions extends Pick<TransportOptions, "config" | "credentials"> {
  suspendAfterMs?: number
  handshakeTimeoutMs?: number
}

/** Browser: the socket to the gateway, and what its status says. `onInterrupted` follows what that tells. */
export function createConnection(
  { config, credentials, suspendAfterMs = 60_000, handshakeTimeoutMs = 4_000 }: ConnectionOptions,
  answerTimeoutMs: number,
  backOff: BackOff,
  status: StatusHolder,
  onInterrupted: () => void,
) {
  const socket: GatewaySocket = io(config.url as string | undefined, {
    path: typeof config.path === "string" ? config.path : defaultSocketPath,
    autoConnect: false,
    // One socket per transport: two clients in one page must not share a connection by accident.
    forceNew: true,
    reconnectionDelay: backOff.firstMs,
    reconnectionDelayMax: backOff.maxMs,
    randomizationFactor: 0.5,
    ackTimeout: answerTimeoutMs,
    auth: (callback) => void getTicket(credentials).then(callback, refuse),
  })
  const handshake = createHandshake(socket.io, handshakeTimeoutMs)
  const interruption = createInterruption(status, suspendAfterMs, onInterrupted)
  /** How often in a row it had no ticket. */
  let refusals = 0
  let restartTimer: ReturnType<typeof setTimeout> | undefined

  /** The connection can't be made. What passes is tried again; the rest is said. */
  function refuse(error: RealtimeError): void {
    if (interruption.isOver()) return
    // Not only Engine.IO's connection: that waits for what is being written or upgraded, and tells of its
    // end later, when it isn't the reason.
    socket.disconnect()
    if (error.retryable) {
      interruption.begin(error)
      refusals += 1
      restart(backOffMs(backOff, refusals, error))
    } else interruption.fail(error)
  }

  /** Socket.IO doesn't come back by itself after a refusal or when the server ended the session. */
  function restart(pauseMs = randomBetween(backOff.firstMs, backOff.maxMs)): void {
    clearTimeout(restartTimer)
    restartTimer = setTimeout(() => socket.connect(), pauseMs)
  }

  socket.on("connect", () => {
    interruption.end()
    handshake.succeeded()
    refusals = 0
    status.set({ state: "connected" })
  })
  socket.on("connect_error", (cause) => {
    const error = fromConnectError(cause)
    // The ticket expired on a slow way, or was signed before the gateway's secret
    // changed: another one may be accepted.
    const isStaleTicket = error.code === "unauthorized"
    if (!error.retryable && !isStaleTicket) return interruption.fail(error)
    if (!isStaleTicket) handshake.failed(cause)
    interruption.begin(error)
    if (!socket.active) restart()
  })
  socket.on("disconnect", (reason) => {
    const { error } = fromDisconnectReason(reason)
    if (error) interruption.begin(error)
    if (reason === "io server disconnect") restart()
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

  return {
    socket,
    connect(): void {
      const { state } = status.current
      if (state === "closed" || socket.connected) return
      if (state === "failed") status.set({ state: "connecting" })
      clearTimeout(restartTimer)
      // Between two attempts Socket.IO waits; starting over makes the next one now.
      if (socket.active && status.current.state !== "connecting") socket.disconnect()
      socket.connect()
    },
    close(): void {
      interruption.end()
      clearTimeout(restartTimer)
      if (typeof window !== "undefined") window.removeEventListener("offline", onOffline)
      status.set({ state: "closed" })
      socket.disconnect()
    },
  }
}

/** A ticket lives for a minute, so each connection asks for its own. */
async function getTicket(credentials: TransportOptions["credentials"]): Promise<object> {
  try {
    return { ...((await credentials({})) as object), wire: wireVersion }
  } catch (cause) {
    if (isRealtimeError(cause)) throw cause
    throw new RealtimeError("provider-unavailable", { provider, message: "unable to get a ticket", cause })
  }
}
