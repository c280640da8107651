import type { Server as SocketIoServer } from "socket.io"
import type { JsonValue } from "../../json.ts"
import type { LogHead, LogPage, Signal, User, WireMessage } from "../../message.ts"
import type { RealtimePublisher } from "../../publisher.ts"
import { maxStateRate } from "../../state.ts"
import { socketIoCapabilities } from "./capabilities.ts"
import { type ClusterBus, createPeers, type Entered, type Peers } from "./cluster.ts"
import { emitToEach } from "./direct-write.ts"
import { channelRoom, type PresenceChange, presenceRoom, provider } from "./mapping.ts"
import { type GatewayServer, joinedAmong, type SocketData } from "./membership.ts"
import { createPresenceRegistry, type PresenceRegistry } from "./presence-registry.ts"
import { createRoomDeliveries } from "./room-deliveries.ts"
import { createSignalDeliveries } from "./signal-deliveries.ts"
import { waitingBytes } from "./slow-connections.ts"
import { createStateWatchers, type StateWatchers } from "./state-watchers.ts"
import { createTickets, type Tickets } from "./tickets.ts"

/** What the gateway and its publisher share: the sockets, and who is present. */
export interface Broadcaster {
  /** The server of Socket.IO. */
  readonly io: GatewayServer
  /** Signs and reads the tickets by which sockets are let in. */
  readonly tickets: Tickets
  /** Of all gateways together. */
  readonly presence: PresenceRegistry
  /** Server, in the gateway's process: delivers to the connected sockets, here and at the other gateways. */
  readonly publisher: RealtimePublisher
  /** Makes a connection visible in a channel, or changes what it shows. */
  enter(channel: string, connection: string, user: User, data: JsonValue): void
  /** Makes a connection invisible in a channel. */
  leave(channel: string, connection: string): void
  /** To everybody in its channel but the connection that sent it. */
  signal(signal: Signal, sender: string): void
  /** Who watches which keys here. */
  readonly watchers: StateWatchers
  /** Changes with each revocation: a permission that was asked for before may be out of date. */
  revocations(): number
  /** What the log has newest to this gateway's own sockets, as far as it hasn't come by itself. */
  deliverFromLog(messages: readonly WireMessage[]): void
  /**
   * The newest message that this gateway's sockets were given of each channel that they are in; 0: none yet.
   */
  places(): Map<string, number>
  /**
   * Where the log is, for a socket that has joined the channel's room as the first: should the log have to
   * stand in for the other gateways, nothing older is brought. `read` asks the log.
   */
  startAt(channel: string, read: () => Promise<LogHead | undefined>): Promise<void>
  /**
   * All that follows `seq`, for a socket that has joined the channel's room: from what was delivered here,
   * else by `read`, which asks the log.
   */
  catchUp(channel: string, seq: number, read: () => Promise<LogPage>): Promise<LogPage>
  /** True while another gateway may have published what didn't come here. */
  readonly isInDoubt: boolean
  /** Other gateways that are heard. */
  readonly peers: number
  /** Messages put on a connection since the start. */
  readonly deliveries: number
}

export interface BroadcasterOptions {
  /** The server of `socket.io` that holds the connections. */
  io: SocketIoServer
  /** Shared with the app's other processes, which sign tickets with it. */
  secret: string
  /** The way to the other gateways, where there are several. */
  bus?: ClusterBus | undefined
  /**
   * How often gateways tell each other that they are there. Default 5 s; one
   * that is silent for three is gone.
   */
  heartbeatMs?: number
}

/** Bytes that wait for a connection to read; over it, signals and state wait for it to catch up. */
const maxWaitingForSignals = 64 * 1024

/** Server: the half of the gateway that delivers. Made first, since `createRealtime` needs its publisher. */
export function createBroadcaster({ io, secret, bus, heartbeatMs = 5_000 }: BroadcasterOptions): Broadcaster {
  const tickets = createTickets({ secret })
  const server = io as unknown as GatewayServer
  const { adapter, sockets } = server.sockets
  const presence = createPresenceRegistry({ maxMembers: socketIoCapabilities.maxPresenceMembers })
  const own = new Map<string, Entered>()
  const rooms = createRoomDeliveries(server)
  let revocations = 0

  function announce(channel: string, change: PresenceChange | null): void {
    const name = presenceRoom(channel)
    if (change && adapter.rooms.has(name)) server.local.to(name).emit("presence", channel, change)
  }

  function isBehind(id: string): boolean {
    const socket = sockets.get(id)
    return socket !== undefined && waitingBytes(socket.conn, maxWaitingForSignals) > maxWaitingForSignals
  }

  const signals = createSignalDeliveries({
    io: server,
    isBehind,
    tell: (signal, more) => peers?.tell({ kind: "signal", signal, ...(more && { more }) }),
  })
  const watchers = createStateWatchers({
    isBehind,
    emit: (ids, patch) => emitToEach(server, ids, "state", patch.channel, [patch]),
  })

  async function revoke(userId: string, channel?: string): Promise<void> {
    revocations += 1
    const ids = channel === undefined ? sockets.keys() : (adapter.rooms.get(channelRoom(channel)) ?? [])
    for (const id of [...ids]) {
      const socket = sockets.get(id)
      const { user, channels, removeFromChannel } = (socket?.data ?? {}) as Partial<SocketData>
      if (!socket || user?.id !== userId) continue
      for (const name of channel === undefined ? joinedAmong(channels) : [channel])
        await removeFromChannel?.(socket, name)
    }
  }

  const peers: Peers | null = bus
    ? createPeers({
        ...{ bus, presence, announce, heartbeatMs, own: () => [...own.values()] },
        take(note) {
          if (note.kind === "messages") rooms.deliver(note.messages)
          else if (note.kind === "signal")
            for (const signal of [note.signal, ...(note.more ?? [])]) signals.sendFromPeer(signal)
          else if (note.kind === "changed") watchers.take(note.patches)
          else void revoke(note.userId, note.channel)
        },
      })
    : null

  return {
    io: server,
    tickets,
    presence,
    watchers,
    revocations: () => revocations,
    deliverFromLog: rooms.deliverFromLog,
    places: rooms.places,
    async startAt(channel, read) {
      if (peers) await rooms.startAt(channel, read)
    },
    catchUp: (channel, seq, read) => rooms.catchUp(channel, seq, peers?.isInDoubt ?? false, read),
    get isInDoubt() {
      return peers?.isInDoubt ?? false
    },
    get peers() {
      return peers?.count ?? 0
    },
    get deliveries() {
      return rooms.count
    },
    enter(channel, connection, user, data) {
      const entered = { channel, connection, user, data }
      own.set(`${connection} ${channel}`, entered)
      announce(channel, presence.enter(channel, connection, user, data))
      peers?.tell({ kind: "entered", ...entered })
    },
    leave(channel, connection) {
      own.delete(`${connection} ${channel}`)
      announce(channel, presence.leave(channel, connection))
      peers?.tell({ kind: "left", channel, connection })
    },
    signal: signals.send,
    publisher: {
      provider,
      async publish(messages) {
        rooms.deliver(messages)
        peers?.tell({ kind: "messages", messages })
      },
      async signal(signal) {
        signals.send(signal, null)
      },
      state: {
        // Each connection has a rate of its own; the others are told as one.
        intervalMs: peers ? 1_000 / maxStateRate : 0,
        async publish(patches) {
          watchers.take(patches)
          peers?.tell({ kind: "changed", patches })
        },
      },
      async revoke(userId, channel) {
        peers?.tell({ kind: "revoke", userId, channel })
        await revoke(userId, channel)
      },
      members: async (channel) => presence.snapshot(channel),
      counts: async (channels) => channels.map((channel) => presence.snapshot(channel).count),
      clientConfig: () => ({ provider }),
      credentials: async ({ user }) => ({ ticket: tickets.issue(user) }),
      async close() {
        signals.close()
        watchers.close()
        await peers?.close()
      },
    },
  }
}
