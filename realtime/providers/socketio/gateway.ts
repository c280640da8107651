import type { IncomingMessage } from "node:http"
import type { Server as SocketIoServer } from "socket.io"
import { isRealtimeError, logError, type OnError, RealtimeError, toWireError } from "../../errors.ts"
import type { User } from "../../message.ts"
import { toWireResult } from "../../publish-result.ts"
import type { RealtimePublisher } from "../../publisher.ts"
import type { RealtimeCore } from "../../server/types.ts"
import type { OutgoingMessage } from "../../transport.ts"
import { socketIoCapabilities } from "./capabilities.ts"
import {
  type ClientEvents,
  channelRoom,
  type PresenceChange,
  presenceRoom,
  provider,
  type ServerEvents,
} from "./mapping.ts"
import { createPresenceRegistry, type PresenceRegistry } from "./presence-registry.ts"
import { createTickets, type Tickets } from "./tickets.ts"

interface SocketData {
  user: User
  /** Puts the socket out of a channel, and says so. */
  expel(channel: string): Promise<void>
}

type GatewayServer = SocketIoServer<ClientEvents, ServerEvents>

/** What the gateway and its publisher share: the sockets, and who is present. */
export interface Broadcaster {
  readonly io: GatewayServer
  readonly tickets: Tickets
  readonly presence: PresenceRegistry
  /** Server, in the gateway's process: delivers to the connected sockets. */
  readonly publisher: RealtimePublisher
  announce(channel: string, change: PresenceChange | null): void
  /** Changes with each revocation: a permission that was asked for before may be out of date. */
  revocations(): number
}

/**
 * Server: the half of the gateway that delivers. Made first, since `createRealtime` needs its publisher. `secret` is
 * shared with the app's other processes, which sign tickets with it.
 */
export function createBroadcaster({ io, secret }: { io: SocketIoServer; secret: string }): Broadcaster {
  const tickets = createTickets({ secret })
  const server = io as unknown as GatewayServer
  const presence = createPresenceRegistry({ maxMembers: socketIoCapabilities.maxPresenceMembers })
  let revocations = 0
  return {
    io: server,
    tickets,
    presence,
    revocations: () => revocations,
    announce(channel, change) {
      if (change) server.to(presenceRoom(channel)).emit("presence", channel, change)
    },
    publisher: {
      provider,
      async publish(messages) {
        for (const [channel, group] of Map.groupBy(messages, (message) => message.channel)) {
          server.to(channelRoom(channel)).emit("messages", group)
        }
      },
      async signal(signal) {
        server.to(channelRoom(signal.channel)).volatile.emit("signal", signal)
      },
      async revoke(userId, channel) {
        revocations += 1
        const { adapter, sockets } = server.sockets
        for (const id of [...(adapter.rooms.get(channelRoom(channel)) ?? [])]) {
          const { user, expel } = (sockets.get(id)?.data ?? {}) as Partial<SocketData>
          if (user?.id === userId) await expel?.(channel)
        }
      },
      members: async (channel) => presence.snapshot(channel),
      counts: async (channels) => channels.map((channel) => presence.snapshot(channel).count),
      clientConfig: () => ({ provider }),
      credentials: async ({ user }) => ({ ticket: await tickets.issue(user) }),
      close: async () => {},
    },
  }
}

export interface GatewayOptions {
  broadcaster: Broadcaster
  core: RealtimeCore
  /** The most channels that one connection may join. */
  maxSubscriptions?: number
  onError?: OnError
}

/** The most messages of a catch-up that comes with a subscription; the client reads the rest over HTTP. */
const catchUpLimit = 500

/** Packets hold anything: what should be text and isn't becomes the empty one, which nothing is called. */
const textOf = (value: unknown) => (typeof value === "string" ? value : "")

/** Server: lets browsers in by ticket and answers what they ask. Every request gets an answer, also a bad one. */
export function attachGateway(options: GatewayOptions): void {
  const { broadcaster, core, maxSubscriptions = 200, onError = logError } = options
  const { io, tickets, presence, announce } = broadcaster
  io.use(async (socket, next) => {
    try {
      socket.data.user = await tickets.verify((socket.handshake.auth as { ticket?: unknown }).ticket)
      next()
    } catch (error) {
      next(Object.assign(new Error("refused"), { data: toWireError(error) }))
    }
  })

  io.on("connection", (socket) => {
    const { user } = socket.data as SocketData
    const subscribed = new Set<string>()
    const entered = new Set<string>()

    const requireSubscribed = (channel: string) => {
      if (subscribed.has(channel)) return
      throw new RealtimeError("channel-denied", { provider, message: "unable to do this before subscribing" })
    }

    function leavePresence(channel: string): void {
      if (entered.delete(channel)) announce(channel, presence.leave(channel, socket.id))
    }

    /** With the permission of now: one that is taken back while it is given was none. */
    async function authorize(channel: string): Promise<void> {
      for (let asked = -1; asked !== broadcaster.revocations(); ) {
        asked = broadcaster.revocations()
        await core.authorize(user, channel, "subscribe")
      }
    }

    const requests: Record<keyof ClientEvents, (...args: unknown[]) => Promise<object>> = {
      async subscribe(name, cursor) {
        const channel = textOf(name)
        if (subscribed.size >= maxSubscriptions && !subscribed.has(channel)) {
          const message = `unable to join more than ${maxSubscriptions} channels`
          throw new RealtimeError("rate-limited", { provider, message, retryable: false })
        }
        await authorize(channel)
        if (!socket.connected) return {}
        subscribed.add(channel)
        // Joined before the log is read: what is committed in between arrives live, and the client tells the two apart.
        await socket.join(channelRoom(channel))
        const seq = (cursor as { seq?: unknown } | null)?.seq
        return Number.isSafeInteger(seq) && (seq as number) >= 0
          ? { page: await core.readAfter(channel, seq as number, catchUpLimit) }
          : {}
      },
      async unsubscribe(name) {
        const channel = textOf(name)
        subscribed.delete(channel)
        leavePresence(channel)
        await Promise.all([socket.leave(channelRoom(channel)), socket.leave(presenceRoom(channel))])
        return {}
      },
      async publish(name, messages) {
        if (
          !Array.isArray(messages) ||
          !messages.every((message) => typeof message === "object" && message !== null)
        ) {
          throw new RealtimeError("invalid-request", {
            provider,
            message: "unable to publish; there are no messages",
          })
        }
        const results = await core.accept(user, textOf(name), messages as OutgoingMessage[])
        return { results: results.map(toWireResult) }
      },
      async signal(name, event, payload) {
        const channel = textOf(name)
        requireSubscribed(channel)
        const signal = await core.acceptSignal(user, channel, textOf(event), payload)
        socket.to(channelRoom(channel)).volatile.emit("signal", signal)
        return {}
      },
      async watch(name) {
        const channel = textOf(name)
        requireSubscribed(channel)
        await socket.join(presenceRoom(channel))
        // As an event, not as the answer: only events keep their order with the changes that follow.
        socket.emit("presence", channel, presence.snapshot(channel))
        return {}
      },
      async enter(name, data) {
        const channel = textOf(name)
        requireSubscribed(channel)
        const accepted = await core.acceptPresence(user, channel, data)
        if (!socket.connected || !subscribed.has(channel)) return {}
        entered.add(channel)
        announce(channel, presence.enter(channel, socket.id, user, accepted))
        return {}
      },
      async leave(name) {
        leavePresence(textOf(name))
        return {}
      },
    }

    ;(socket.data as SocketData).expel = async (channel) => {
      await requests.unsubscribe(channel)
      socket.emit("revoked", channel)
    }

    socket.onAny(async (event: string, ...args: unknown[]) => {
      const ack = typeof args.at(-1) === "function" ? (args.pop() as (answer: unknown) => void) : () => {}
      try {
        const answer = Object.hasOwn(requests, event) ? requests[event as keyof ClientEvents] : undefined
        if (!answer)
          throw new RealtimeError("invalid-request", { provider, message: "unable to answer; unknown event" })
        ack({ ok: true, ...(await answer(...args)) })
      } catch (error) {
        if (!isRealtimeError(error)) onError(error, { stage: `answer ${event}` })
        ack({ ok: false, error: toWireError(error) })
      }
    })

    socket.on("disconnect", () => {
      for (const channel of [...entered]) leavePresence(channel)
    })
  })
}

/**
 * Server: whether a page of this origin may connect. The same host may; others must be listed; what sends no origin
 * is no browser and is judged by its ticket alone.
 */
export function isAllowedOrigin(request: IncomingMessage, allowed: readonly string[]): boolean {
  const { origin, host } = request.headers
  if (origin === undefined || allowed.includes(origin)) return true
  return URL.canParse(origin) && new URL(origin).host === host
}

export { createInternalEndpoint } from "./internal-endpoint.ts"
