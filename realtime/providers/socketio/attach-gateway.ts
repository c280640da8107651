import type { IncomingMessage } from "node:http"
import { type OnError, RealtimeError, toWireError } from "../../errors.ts"
import { createReporter, guard, reportFailure } from "../../guard.ts"
import type { RealtimeCore } from "../../server/types.ts"
import { requireWireVersion } from "../../wire-version.ts"
import type { Broadcaster } from "./broadcaster.ts"
import { socketIoCapabilities } from "./capabilities.ts"
import { answerDirectly } from "./direct-write.ts"
import { createGatewayRequests } from "./gateway-requests.ts"
import { createLogLookout } from "./log-lookout.ts"
import { type ClientEvents, isChannelRoom, provider } from "./mapping.ts"
import { dataOf, type GatewaySocket } from "./membership.ts"
import { endSlowConnections, waitingBytes } from "./slow-connections.ts"

/** What a gateway is doing, for whoever watches it. */
export interface GatewayStats {
  /** Open connections, here and now. */
  connections: number
  /** Channels of all connections, added up. */
  subscriptions: number
  /** Channels that somebody here is in. */
  channels: number
  /** Messages put on a connection since the start. */
  deliveries: number
  /** Connections that were ended since the start because they didn't read. */
  slow: number
  /** Bytes that wait for their connections to read. */
  waitingBytes: number
  /** Other gateways that are heard. */
  peers: number
  /** True while another gateway may have published what didn't come here; the log is read meanwhile. */
  isInDoubt: boolean
}

export interface GatewayOptions {
  /** Of `createBroadcaster`, over the same server of `socket.io`. */
  broadcaster: Broadcaster
  /** `realtime.core`: authorizes, and reads the log. */
  core: RealtimeCore
  /** The most channels that one connection may join. Default 200. */
  maxSubscriptions?: number
  /**
   * What may wait for a connection that doesn't read, in bytes; over it, the
   * connection is ended. Default 8 MiB.
   */
  maxWaitingBytes?: number
  /** How often the log is looked at while another gateway may be publishing unheard. Default 2 s. */
  doubtIntervalMs?: number
  /**
   * Around the answer to each request, for whoever tells requests apart; `handshake` is
   * the one that opened the connection.
   */
  answer?(work: () => Promise<void>, handshake: IncomingMessage): Promise<void>
  /** Where failures go that no caller waits for. Default: `console.error`. */
  onError?: OnError
}

/** A gateway that answers, from `attachGateway` until `stop`. */
export interface AttachedGateway {
  /** What it is doing now, for metrics. */
  stats(): GatewayStats
  /**
   * How many messages the log holds that weren't delivered here, of the channel that is furthest behind;
   * looks at 500 channels at most. Some are on their way at any moment; what stays was lost between gateways.
   * Rejects when the log doesn't answer.
   */
  lag(): Promise<number>
  /** Ends what it does by itself. */
  stop(): void
}

/**
 * Server: lets browsers in by ticket and answers what they ask. Every request gets an answer, also a bad one.
 */
export function attachGateway(options: GatewayOptions): AttachedGateway {
  const { broadcaster, core, maxSubscriptions = socketIoCapabilities.maxChannels } = options
  const { maxWaitingBytes = 8 * 1024 * 1024, doubtIntervalMs = 2_000, answer = (work) => work() } = options
  const onError = createReporter(options.onError)
  const { io, tickets } = broadcaster
  const { requests, removeFromChannel, gone } = createGatewayRequests({ broadcaster, core, maxSubscriptions })

  async function respond(socket: GatewaySocket, event: string, args: unknown[]): Promise<void> {
    const ack = typeof args.at(-1) === "function" ? (args.pop() as (answer: unknown) => void) : () => {}
    try {
      const request = Object.hasOwn(requests, event) ? requests[event as keyof ClientEvents] : undefined
      if (!request)
        throw new RealtimeError("invalid-request", { provider, message: "unable to answer; unknown event" })
      ack({ ok: true, ...(await request(socket, ...args)) })
    } catch (error) {
      reportFailure(onError, error, { stage: `answer ${event}`, connection: socket.id })
      ack({ ok: false, error: toWireError(error) })
    }
  }

  io.use((socket, next) => {
    try {
      const { ticket, wire } = socket.handshake.auth as { ticket?: unknown; wire?: unknown }
      requireWireVersion(wire)
      socket.data.user = tickets.verify(ticket)
      // It has served; nothing that opens a connection lies about in memory.
      socket.handshake.auth = {}
      next()
    } catch (error) {
      next(Object.assign(new Error("refused"), { data: toWireError(error) }))
    }
  })

  io.on("connection", (socket) => {
    answerDirectly(socket)
    Object.assign(dataOf(socket), { channels: new Map(), removeFromChannel })
    socket.onAny((event: string, ...args: unknown[]) =>
      guard(onError, `answer ${event}`, () => answer(() => respond(socket, event, args), socket.request)),
    )
    socket.on("disconnect", () => gone(socket))
  })

  const lookout = createLogLookout({ broadcaster, core, intervalMs: doubtIntervalMs, onError })
  const slow = endSlowConnections(io, maxWaitingBytes, onError)
  return {
    stats() {
      const rooms = [...io.sockets.adapter.rooms].filter(([name]) => isChannelRoom(name))
      const sockets = [...io.sockets.sockets.values()]
      return {
        connections: sockets.length,
        subscriptions: rooms.reduce((sum, [, members]) => sum + members.size, 0),
        channels: rooms.length,
        deliveries: broadcaster.deliveries,
        slow: slow.ended,
        waitingBytes: sockets.reduce((sum, { conn }) => sum + waitingBytes(conn), 0),
        peers: broadcaster.peers,
        isInDoubt: broadcaster.isInDoubt,
      }
    },
    lag: lookout.lag,
    stop() {
      lookout.stop()
      slow.stop()
    },
  }
}
