import type { IncomingMessage } from "node:http"
import type { Socket, Server as SocketIoServer } from "socket.io"
import { isDenial, type OnError, RealtimeError, toWireError } from "../../errors.ts"
import { createReporter, guard, reportFailure } from "../../guard.ts"
import type { JsonValue } from "../../json.ts"
import {
  isPosition,
  type LogHead,
  type LogPage,
  parseSignalOrigin,
  type Signal,
  type User,
  type WireMessage,
} from "../../message.ts"
import { toWireResult } from "../../publish-result.ts"
import type { RealtimePublisher } from "../../publisher.ts"
import type { RealtimeCore } from "../../server/types.ts"
import {
  defaultStateRate,
  maxStateRate,
  maxWatchedKeys,
  maxWatchedKeysAtOnce,
  parseWatchedKeys,
} from "../../state.ts"
import type { OutgoingMessage } from "../../transport.ts"
import { requireWireVersion } from "../../wire-version.ts"
import { socketIoCapabilities } from "./capabilities.ts"
import { type ClusterBus, createPeers, type Entered, type Peers } from "./cluster.ts"
import { answerDirectly, emitToEach } from "./direct-write.ts"
import { createHeldSignals } from "./held-signals.ts"
import { createLatestSignals } from "./latest-signals.ts"
import {
  type ClientEvents,
  channelRoom,
  fromChannelRoom,
  isChannelRoom,
  type PresenceChange,
  presenceRoom,
  provider,
  type ServerEvents,
} from "./mapping.ts"
import { createPresenceRegistry, type PresenceRegistry } from "./presence-registry.ts"
import { createRecent, type Recent } from "./recent.ts"
import { createStateWatchers, type StateWatchers } from "./state-watchers.ts"
import { createTickets, type Tickets } from "./tickets.ts"

/**
 * A channel that a socket wants, from the moment it asks. One that leaves and comes back gets another, so
 * that no answer to the first is taken for one to the second.
 */
interface Membership {
  /** The socket may be there. Until then nothing may be done in the channel, and nothing is heard of it. */
  isJoined: boolean
  isPresent: boolean
  /**
   * How often entering and leaving were asked, and which of these took effect
   * last: whoever overtakes isn't undone.
   */
  asked: number
  done: number
  /** How often it was said which keys of the state are watched: the last counts. */
  watches: number
  /** So many are. */
  watchedKeys: number
}

interface SocketData {
  user: User
  channels: Map<string, Membership>
  /** Puts a socket out of a channel, and says so. */
  removeFromChannel(socket: GatewaySocket, channel: string): Promise<void>
}

/** What is still being asked for is authorized once more, where a permission is taken back. */
const joinedAmong = (channels: SocketData["channels"] = new Map()): string[] =>
  [...channels].flatMap(([name, { isJoined }]) => (isJoined ? [name] : []))

type GatewayServer = SocketIoServer<ClientEvents, ServerEvents>
type GatewaySocket = Socket<ClientEvents, ServerEvents>

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

/** Server: the half of the gateway that delivers. Made first, since `createRealtime` needs its publisher. */
export function createBroadcaster({ io, secret, bus, heartbeatMs = 5_000 }: BroadcasterOptions): Broadcaster {
  const tickets = createTickets({ secret })
  const server = io as unknown as GatewayServer
  const presence = createPresenceRegistry({ maxMembers: socketIoCapabilities.maxPresenceMembers })
  const own = new Map<string, Entered>()
  /** By room, for as long as somebody is in it. */
  const recents = new Map<string, Recent>()
  const { adapter } = server.sockets
  adapter.on("create-room", (name: string) => void (isChannelRoom(name) && recents.set(name, createRecent())))
  adapter.on("delete-room", (name: string) => void recents.delete(name))
  let revocations = 0
  let deliveries = 0

  function announce(channel: string, change: PresenceChange | null): void {
    const name = presenceRoom(channel)
    if (change && adapter.rooms.has(name)) server.local.to(name).emit("presence", channel, change)
  }

  function deliver(messages: readonly WireMessage[], how: "take" | "takeFromLog" = "take"): void {
    for (const [channel, group] of Map.groupBy(messages, (message) => message.channel)) {
      const name = channelRoom(channel)
      const recent = recents.get(name)
      const ids = adapter.rooms.get(name)
      if (!recent || !ids) continue
      const fresh = recent[how](group)
      if (fresh.length === 0) continue
      deliveries += fresh.length * ids.size
      emitToEach(io, ids, "messages", fresh)
    }
  }

  function isBehind(id: string): boolean {
    const socket = server.sockets.sockets.get(id)
    return socket !== undefined && waitingBytes(socket.conn, maxWaitingForSignals) > maxWaitingForSignals
  }

  /** Not `volatile`, which leaves out every connection on which anything at all is just being written. */
  const signals = createHeldSignals({
    isBehind,
    isIn: (id, channel) => adapter.rooms.get(channelRoom(channel))?.has(id) === true,
    emit: (ids, sent) => emitToEach(io, ids, "signal", ...sent.map(toPage)),
  })

  const latest = createLatestSignals({
    emit(sent, { sender, own }) {
      signalRoom(sent, sender)
      const [signal, ...more] = own
      if (signal) peers?.tell({ kind: "signal", signal, more })
    },
  })

  const watchers = createStateWatchers({
    isBehind,
    emit: (id, patch) => emitToEach(io, [id], "state", patch.channel, [patch]),
  })

  /** To everybody in their channel but the connection that sent them. */
  function signalRoom(sent: readonly Signal[], sender: string | null): void {
    const ids = new Set(adapter.rooms.get(channelRoom(sent[0]?.channel ?? "")))
    if (sender !== null) ids.delete(sender)
    signals.send(ids, sent)
  }

  function signalAll(signal: Signal, sender: string | null): void {
    if (signal.isLatest) latest.send(signal, { sender, isOwn: true })
    else {
      signalRoom([signal], sender)
      peers?.tell({ kind: "signal", signal })
    }
  }

  function signalFromPeer(signal: Signal): void {
    if (signal.isLatest) latest.send(signal, { sender: null, isOwn: false })
    else signalRoom([signal], null)
  }

  async function revoke(userId: string, channel?: string): Promise<void> {
    revocations += 1
    const { sockets } = server.sockets
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
          if (note.kind === "messages") deliver(note.messages)
          else if (note.kind === "signal")
            for (const signal of [note.signal, ...(note.more ?? [])]) signalFromPeer(signal)
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
    deliverFromLog: (messages) => deliver(messages, "takeFromLog"),
    places: () => new Map([...recents].map(([name, { place }]) => [fromChannelRoom(name), place])),
    async startAt(channel, read) {
      const recent = recents.get(channelRoom(channel))
      if (!peers || !recent || recent.place > 0) return
      const head = await read()
      if (head) recent.startAt(head)
    },
    async catchUp(channel, seq, read) {
      const recent = recents.get(channelRoom(channel))
      const page = peers?.isInDoubt ? null : recent?.after(seq)
      if (page) return page
      const askedAt = performance.now()
      const answer = await read()
      recent?.learn(seq, answer, askedAt)
      return answer
    },
    get isInDoubt() {
      return peers?.isInDoubt ?? false
    },
    get peers() {
      return peers?.count ?? 0
    },
    get deliveries() {
      return deliveries
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
    signal: signalAll,
    publisher: {
      provider,
      async publish(messages) {
        deliver(messages)
        peers?.tell({ kind: "messages", messages })
      },
      async signal(signal) {
        signalAll(signal, null)
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
        latest.close()
        signals.close()
        watchers.close()
        await peers?.close()
      },
    },
  }
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

/** The most channels whose heads are asked for at once. */
const maxHeads = 500
/** The most messages of a catch-up that comes with a subscription; the client reads the rest over HTTP. */
const catchUpLimit = 500

/** Bytes that wait for a connection to read; over it, signals wait for it to catch up. */
const maxWaitingForSignals = 64 * 1024

/**
 * Packets hold anything: what should be text and isn't becomes the empty text, which is the name of nothing.
 */
const dataOf = (socket: GatewaySocket) => socket.data as SocketData

const textOf = (value: unknown) => (typeof value === "string" ? value : "")

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
  const onError = createReporter(options.onError)
  const { maxWaitingBytes = 8 * 1024 * 1024, doubtIntervalMs = 2_000, answer = (work) => work() } = options
  const { io, tickets, presence } = broadcaster
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

  /**
   * Asked before anything is waited for: who leaves meanwhile, or asks for too many at once, is known by it.
   */
  function want(socket: GatewaySocket, channel: string): Membership {
    const { channels } = dataOf(socket)
    const wanted = channels.get(channel)
    if (wanted) return wanted
    if (channels.size >= maxSubscriptions) {
      const message = `unable to join more than ${maxSubscriptions} channels over one connection; leave others first`
      throw new RealtimeError("rate-limited", { provider, message, retryable: false })
    }
    const membership = { isJoined: false, isPresent: false, asked: 0, done: 0, watches: 0, watchedKeys: 0 }
    channels.set(channel, membership)
    return membership
  }

  /** Each channel has its limit; of many together it would be no limit. */
  function makeRoom(socket: GatewaySocket, membership: Membership, watchedKeys: number): void {
    const memberships = [...dataOf(socket).channels.values()]
    const others = memberships.reduce((sum, other) => sum + other.watchedKeys, -membership.watchedKeys)
    if (others + watchedKeys > maxWatchedKeysAtOnce) {
      const message = `unable to watch more than ${maxWatchedKeysAtOnce} keys over one connection; watch fewer`
      throw new RealtimeError("rate-limited", { provider, message, retryable: false })
    }
    membership.watchedKeys = watchedKeys
  }

  const isStill = (socket: GatewaySocket, channel: string, membership: Membership) =>
    dataOf(socket).channels.get(channel) === membership

  function requireJoined(socket: GatewaySocket, channel: string): Membership {
    const membership = dataOf(socket).channels.get(channel)
    if (membership?.isJoined) return membership
    throw new RealtimeError("channel-denied", { provider, message: "unable to do this before subscribing" })
  }

  function leavePresence(socket: GatewaySocket, channel: string): void {
    const membership = dataOf(socket).channels.get(channel)
    if (!membership) return
    membership.asked += 1
    membership.done = membership.asked
    if (!membership.isPresent) return
    membership.isPresent = false
    broadcaster.leave(channel, socket.id)
  }

  async function leaveChannel(socket: GatewaySocket, channel: string): Promise<void> {
    leavePresence(socket, channel)
    broadcaster.watchers.unwatch(socket.id, channel)
    dataOf(socket).channels.delete(channel)
    await Promise.all([socket.leave(channelRoom(channel)), socket.leave(presenceRoom(channel))])
  }

  /** Once for all connections: functions of each one's own would be a kilobyte of it. */
  const requests: Record<keyof ClientEvents, (socket: GatewaySocket, ...args: unknown[]) => Promise<object>> =
    {
      async subscribe(socket, name, cursor) {
        const { user } = dataOf(socket)
        const channel = textOf(name)
        const membership = want(socket, channel)
        try {
          await core.limitRead(user)
          // Permission may have been taken back while it was being given: only one that holds by now counts.
          for (let asked = -1; asked !== broadcaster.revocations(); ) {
            asked = broadcaster.revocations()
            await core.authorize(user, channel, "subscribe")
          }
        } catch (error) {
          // What passes leaves whoever is in where they are.
          const isOut = !membership.isJoined || isDenial(error)
          if (isOut && isStill(socket, channel, membership)) await leaveChannel(socket, channel)
          throw error
        }
        if (!isStill(socket, channel, membership)) throw leftMeanwhile()
        membership.isJoined = true
        // Joined before the log is read: what is committed in between arrives live, and
        // the client tells the two apart.
        await socket.join(channelRoom(channel))
        const seq = (cursor as { seq?: unknown } | null)?.seq
        const page = isPosition(seq)
          ? await broadcaster.catchUp(channel, seq, () => core.readAfter(channel, seq, catchUpLimit))
          : undefined
        // A log that doesn't answer is none that stands in; whoever reads it then knows what is old.
        const readHead = async () => page?.head ?? (await core.heads([channel]).catch(() => []))[0]
        await broadcaster.startAt(channel, readHead)
        if (!isStill(socket, channel, membership)) throw leftMeanwhile()
        return { page }
      },
      async unsubscribe(socket, name) {
        await leaveChannel(socket, textOf(name))
        return {}
      },
      async publish(socket, name, messages) {
        if (
          !Array.isArray(messages) ||
          !messages.every((message) => typeof message === "object" && message !== null)
        ) {
          throw new RealtimeError("invalid-request", {
            provider,
            message: "unable to publish; there are no messages",
          })
        }
        const results = await core.accept(dataOf(socket).user, textOf(name), messages as OutgoingMessage[])
        return { results: results.map(toWireResult) }
      },
      async signal(socket, name, event, payload, origin) {
        const channel = textOf(name)
        requireJoined(socket, channel)
        const { user } = dataOf(socket)
        const sent = parseSignalOrigin(origin)
        const signal = await core.acceptSignal(user, channel, textOf(event), payload, sent)
        broadcaster.signal(signal, socket.id)
        // The sender need not wait for a service, nor for the application.
        void core.relaySignal(signal, provider)
        void core.hearSignal(signal)
        return {}
      },
      async watch(socket, name) {
        const channel = textOf(name)
        const membership = requireJoined(socket, channel)
        await core.limitRead(dataOf(socket).user)
        if (!isStill(socket, channel, membership)) return {}
        await socket.join(presenceRoom(channel))
        // As an event, not as the answer: only events keep their order with the changes that follow.
        socket.emit("presence", channel, presence.snapshot(channel))
        return {}
      },
      async state(socket, name, wanted) {
        const channel = textOf(name)
        const membership = requireJoined(socket, channel)
        const { keys, perSecond } = (wanted ?? {}) as { keys?: unknown; perSecond?: unknown }
        const watched = keysOf(keys)
        membership.watches += 1
        const turn = membership.watches
        await core.limitRead(dataOf(socket).user)
        if (!isStill(socket, channel, membership) || turn !== membership.watches) return {}
        makeRoom(socket, membership, watched.length)
        if (watched.length === 0) broadcaster.watchers.unwatch(socket.id, channel)
        else broadcaster.watchers.watch(socket.id, channel, watched, rateOf(perSecond))
        return {}
      },
      async enter(socket, name, data) {
        const { user } = dataOf(socket)
        const channel = textOf(name)
        const membership = requireJoined(socket, channel)
        membership.asked += 1
        const turn = membership.asked
        await core.limitRead(user)
        const accepted = await core.acceptPresence(user, channel, data)
        if (!isStill(socket, channel, membership) || turn < membership.done) return {}
        membership.done = turn
        membership.isPresent = true
        broadcaster.enter(channel, socket.id, user, accepted)
        return {}
      },
      async leave(socket, name) {
        leavePresence(socket, textOf(name))
        return {}
      },
    }

  async function removeFromChannel(socket: GatewaySocket, channel: string): Promise<void> {
    await leaveChannel(socket, channel)
    socket.emit("revoked", channel)
  }

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

  io.on("connection", (socket) => {
    answerDirectly(socket)
    Object.assign(dataOf(socket), { channels: new Map(), removeFromChannel })
    socket.onAny((event: string, ...args: unknown[]) =>
      guard(onError, `answer ${event}`, () => answer(() => respond(socket, event, args), socket.request)),
    )
    socket.on("disconnect", () => {
      const { channels } = dataOf(socket)
      for (const channel of channels.keys()) {
        leavePresence(socket, channel)
        broadcaster.watchers.unwatch(socket.id, channel)
      }
      // Whatever is still being asked for is for nobody.
      channels.clear()
    })
  })

  /**
   * The newest message of each channel that went on unheard: it shows the pages
   * their gap, and they read the rest.
   */
  async function lookAtLog(): Promise<void> {
    const places = [...broadcaster.places()]
    for (let start = 0; start < places.length; start += maxHeads) {
      const asked = places.slice(start, start + maxHeads)
      const heads = await core.heads(asked.map(([channel]) => channel))
      for (const [index, [channel, place]] of asked.entries()) {
        const seq = heads[index]?.seq ?? 0
        if (seq > place) broadcaster.deliverFromLog((await core.readAfter(channel, seq - 1, 1)).messages)
      }
    }
  }

  let isLooking = false
  const watch = setInterval(() => {
    if (isLooking || !broadcaster.isInDoubt) return
    isLooking = true
    lookAtLog()
      .catch((error) => onError(error, { stage: "look at the log in place of the other gateways" }))
      .finally(() => {
        isLooking = false
      })
  }, doubtIntervalMs).unref()
  let slow = 0
  const sweep = setInterval(() => {
    for (const socket of io.sockets.sockets.values()) {
      const bytes = waitingBytes(socket.conn)
      if (bytes <= maxWaitingBytes) continue
      slow += 1
      const message = `a connection was ended; ${bytes} bytes waited for it to read`
      const error = new RealtimeError("rate-limited", { provider, message, retryable: true })
      onError(error, { stage: "deliver", connection: socket.id })
      // Whoever doesn't read would not read a farewell.
      endAtOnce(socket.conn)
    }
  }, sweepIntervalMs).unref()
  return {
    stats() {
      const rooms = [...io.sockets.adapter.rooms].filter(([name]) => isChannelRoom(name))
      const sockets = [...io.sockets.sockets.values()]
      return {
        connections: sockets.length,
        subscriptions: rooms.reduce((sum, [, members]) => sum + members.size, 0),
        channels: rooms.length,
        deliveries: broadcaster.deliveries,
        slow,
        waitingBytes: sockets.reduce((sum, { conn }) => sum + waitingBytes(conn), 0),
        peers: broadcaster.peers,
        isInDoubt: broadcaster.isInDoubt,
      }
    },
    async lag() {
      // Where nothing was delivered yet there is nothing to compare.
      const places = [...broadcaster.places()].filter(([, place]) => place > 0).slice(0, maxHeads)
      const heads = await core.heads(places.map(([channel]) => channel))
      return Math.max(0, ...places.map(([, place], index) => (heads[index]?.seq ?? 0) - place))
    },
    stop() {
      clearInterval(watch)
      clearInterval(sweep)
    },
  }
}

/**
 * It is asked for again by whoever still wants it: the page doesn't, whose access was looked at anew does.
 */
const leftMeanwhile = () =>
  new RealtimeError("not-connected", {
    ...{ provider, message: "unable to subscribe; the channel was left meanwhile", retryAfterMs: 0 },
  })

function keysOf(value: unknown): string[] {
  const keys = parseWatchedKeys(value)
  if (keys) return keys
  const message = `unable to watch; at most ${maxWatchedKeys} keys of a channel can be watched, each a text`
  throw new RealtimeError("invalid-request", { provider, message })
}

const rateOf = (value: unknown): number =>
  typeof value === "number" && value >= 1 ? Math.min(value, maxStateRate) : defaultStateRate

/** Pages know from their definitions which those are. */
const toPage = ({ isLatest: _, ...signal }: Signal): Signal => signal

const sweepIntervalMs = 1_000

type Connection = Socket["conn"]

/** The part of `ws` that Engine.IO's WebSocket transport holds. */
interface WebSocketOf {
  socket?: { bufferedAmount: number; terminate(): void }
}

function waitingBytes(connection: Connection, enough = Number.POSITIVE_INFINITY): number {
  const { writeBuffer } = connection as unknown as { writeBuffer: readonly { data?: string | Buffer }[] }
  let bytes = (connection.transport as WebSocketOf).socket?.bufferedAmount ?? 0
  for (const { data } of writeBuffer) {
    if (bytes > enough) break
    bytes += data?.length ?? 0
  }
  return bytes
}

function endAtOnce(connection: Connection): void {
  const { socket } = connection.transport as WebSocketOf
  if (socket) socket.terminate()
  else connection.close(true)
}

/**
 * Server: whether a page of this origin may connect. The same host may; others must be listed, as browsers
 * spell them: `new URL(…).origin`. What sends no origin is no browser and is judged by its ticket alone.
 */
export function isAllowedOrigin(request: IncomingMessage, allowed: readonly string[]): boolean {
  const { origin, host } = request.headers
  if (origin === undefined || allowed.includes(origin)) return true
  const page = URL.parse(origin)
  // A proxy may name the scheme's own port, which browsers leave out.
  return page !== null && page.host === URL.parse(`${page.protocol}//${host}`)?.host
}
