import type { Clock } from "./clock.ts"
import { errorMessage } from "./errors.ts"
import type { ConnectionFault, Faults } from "./faults.ts"
import type { Json } from "./json.ts"
import { createLane } from "./lane.ts"
import { byteLength } from "./limits.ts"
import { type ClientFrame, errorFrame, parseClientFrame, type ServerFrame, systemFrame } from "./protocol.ts"
import type { ResolvedAppSettings } from "./settings.ts"

/** A WebSocket as the core sees it. */
export interface Socket {
  /** Sends a text frame. */
  send(text: string): void
  /** Ends it with a close frame. */
  close(code: number, reason: string): void
  /** Ends it without a close frame. */
  terminate(): void
}

export interface SignedInUser {
  id: string
  user_info?: Json
}

/** A client's connection, as channels and users see it. */
export interface Connection {
  /** As in `123.456`. */
  readonly socketId: string
  /** False once either side has ended it. */
  readonly isOpen: boolean
  /** The names of the channels that it has subscribed to. */
  readonly subscriptions: Set<string>
  /** Who has signed in on it; absent: nobody. */
  user?: SignedInUser
  /** Sends a frame, unless a fault strikes it. */
  send(frame: ServerFrame): void
  /** Ends it with a close frame. */
  close(code: number, reason?: string): void
}

/** The same connection, as the socket beneath it and the app that it belongs to see it. */
export interface ConnectionHandle extends Connection {
  /** It has signed in, or joined a private or presence channel. */
  isAuthorized: boolean
  receive(data: string | Uint8Array): void
  /** The client has closed the socket, or lost it. */
  closed(): void
  suffer(fault: ConnectionFault): void
}

export interface ConnectionOptions {
  socketId: string
  protocol: number
  settings: ResolvedAppSettings
  socket: Socket
  clock: Clock
  faults: Faults
  onFrame(frame: ClientFrame): void
  /** Called once, however the connection ends. */
  onEnd(): void
}

export const connectionFaults = ["cut", "half-open", "close", "error"] as const

/** A client without pings (protocol 4) is closed with 4202 after this. */
const INACTIVITY_MS = 24 * 60 * 60_000

export function createConnection(options: ConnectionOptions): ConnectionHandle {
  const { socketId, protocol, settings, socket, clock, faults } = options
  let isOpen = true
  let isHalfOpen = false
  let lastHeardAt = clock.now()
  let cancelWatch = () => {}

  const outbound = createLane<ServerFrame>({
    clock,
    faults,
    direction: "to-client",
    target: (frame) => ({ app: settings, socketId, event: frame.event, channels: channelsOf(frame) }),
    deliver(frame) {
      if (!isOpen || isHalfOpen) return
      try {
        socket.send(frame.text)
      } catch {
        // Whoever can't be written to is cut: that is neither the publisher's trouble nor the other recipients'.
        connection.suffer({ kind: "cut" })
      }
    },
  })
  const inbound = createLane<ClientFrame>({
    clock,
    faults,
    direction: "from-client",
    target: (frame) => ({ app: settings, socketId, event: frame.event, channels: channelsOf(frame) }),
    deliver(frame) {
      if (isOpen) options.onFrame(frame)
    },
  })

  /** Liveness (pusher/README.md §1.4): after silence a ping, after an unanswered ping 4201. */
  function watch(): void {
    const silenceMs = protocol < 5 ? INACTIVITY_MS : settings.activityTimeout * 1000
    cancelWatch = clock.schedule(
      () => {
        if (clock.now() - lastHeardAt < silenceMs) return watch()
        if (protocol < 5) return connection.close(4202)
        connection.send(systemFrame("pusher:ping", {}))
        const pingedAt = clock.now()
        cancelWatch = clock.schedule(() => {
          if (lastHeardAt < pingedAt) connection.close(4201)
          else watch()
        }, settings.pongTimeout * 1000)
      },
      lastHeardAt + silenceMs - clock.now(),
    )
  }

  function end(): void {
    isOpen = false
    cancelWatch()
    outbound.clear()
    inbound.clear()
    options.onEnd()
  }

  const connection: ConnectionHandle = {
    socketId,
    get isOpen() {
      return isOpen
    },
    subscriptions: new Set(),
    isAuthorized: false,

    send(frame) {
      if (!isOpen) return
      const target = { app: settings, socketId, event: frame.event, channels: channelsOf(frame) }
      for (const fault of faults.strike(connectionFaults, { ...target, moment: "event" }))
        connection.suffer(fault)
      if (isOpen) outbound.push(frame)
    },

    close(code, reason = errorMessage(code)) {
      if (!isOpen) return
      if (!isHalfOpen) {
        // Before protocol 6 a fatal error came as an event too (§8).
        if (protocol < 6 && code >= 4000) socket.send(errorFrame(code, reason).text)
        socket.close(code, reason)
      }
      end()
    },

    receive(data) {
      if (!isOpen || isHalfOpen) return
      lastHeardAt = clock.now()
      if (typeof data !== "string") return connection.close(1003, "Binary frames are not supported")
      if (byteLength(data) > settings.limits.frameBytes) return connection.close(1009, "Message too big")
      inbound.push(parseClientFrame(data))
    },

    closed() {
      // Of a half-open connection not even the end is heard.
      if (isOpen && !isHalfOpen) end()
    },

    suffer(fault) {
      if (!isOpen) return
      if (fault.kind === "cut") {
        socket.terminate()
        end()
      } else if (fault.kind === "half-open") isHalfOpen = true
      else if (fault.kind === "close") connection.close(fault.code, fault.reason)
      else outbound.push(errorFrame(fault.code, fault.message))
    },
  }

  watch()
  return connection
}

function channelsOf(frame: ServerFrame | ClientFrame): string[] | undefined {
  return "channel" in frame && frame.channel !== undefined ? [frame.channel] : undefined
}
