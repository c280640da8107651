import { createEventCache, type EventCache } from "./cache.ts"
import { isCacheChannel } from "./channel-names.ts"
import { type Channels, createChannels } from "./channels.ts"
import { createClientEvents } from "./client-events.ts"
import type { Clock } from "./clock.ts"
import {
  type Connection,
  type ConnectionHandle,
  connectionFaults,
  createConnection,
  type Socket,
} from "./connection.ts"
import type { Faults } from "./faults.ts"
import type { JsonObject } from "./json.ts"
import { type ClientFrame, errorFrame, eventFrame, systemFrame } from "./protocol.ts"
import { createSocketId, type Random } from "./random.ts"
import { type PusherAppSettings, type ResolvedAppSettings, resolveAppSettings } from "./settings.ts"
import { createSubscriptions } from "./subscriptions.ts"
import { createUsers, type Users } from "./users.ts"
import { createWebhooks, type WebhookSender, type Webhooks } from "./webhooks.ts"

/** An event as the HTTP API publishes it. */
export interface TriggeredEvent {
  /** The event's name. */
  name: string
  /** The channel that it goes to. */
  channel: string
  /** Its data, encoded as text. */
  data: string
  /** The connection that doesn't get it. */
  socket_id?: string
}

/** One app of the service: its connections, channels, users and webhooks. Nothing is shared between two apps. */
export interface App {
  /** The app's id, as in `PUSHER_APP_ID`. */
  readonly id: string
  /** What clients connect with. */
  readonly key: string
  /** What requests and permissions are signed with. */
  readonly secret: string
  /** Its settings, defaults filled in. */
  readonly settings: ResolvedAppSettings
  /** The open connections, by socket id. */
  readonly connections: ReadonlyMap<string, Connection>
  /** The channels that somebody is in. */
  readonly channels: Pick<Channels, "get" | "occupied">
  /** Those who have signed in. */
  readonly users: Pick<Users, "connectionsOf" | "terminate">
  /** The last event of each cache channel. */
  readonly cache: EventCache
  /** What was posted to its webhooks. */
  readonly webhooks: Pick<Webhooks, "deliveries">
  /** The app's events of today, published and delivered. */
  readonly messages: number
}

/** The same app, as the emulator around it sees it. */
export interface AppHandle extends App {
  readonly connections: ReadonlyMap<string, ConnectionHandle>
  /** The service's time of day for this app. */
  now(): number
  connect(socket: Socket, protocol: number): ConnectionHandle
  /** What the HTTP API has accepted. */
  trigger(event: TriggeredEvent): void
  isOverMessageQuota(): boolean
  stop(): void
}

export interface AppContext {
  clock: Clock
  random: Random
  faults: Faults
  sendWebhook: WebhookSender
}

const DAY_MS = 24 * 60 * 60_000

export function createApp(given: PusherAppSettings, context: AppContext): AppHandle {
  const { clock, random, faults } = context
  const settings = resolveAppSettings(given)
  const now = () => clock.now() + faults.skewMs(settings)
  const connections = new Map<string, ConnectionHandle>()
  const authorizationTimers = new Map<ConnectionHandle, () => void>()
  const cache = createEventCache(clock, settings.limits.cacheTtlMs)
  const webhooks = createWebhooks({ app: settings, clock, timeOfDay: now, send: context.sendWebhook })
  const channels = createChannels({ settings, clock, cache, webhooks })
  const users = createUsers({ settings, onAuthorized })
  const subscriptions = createSubscriptions({ settings, channels, faults, onAuthorized })
  const clientEvents = createClientEvents({ settings, channels, webhooks, clock, onDelivered: countMessages })
  let messages = { day: 0, count: 0 }

  function messagesToday(): number {
    const day = Math.floor(clock.now() / DAY_MS)
    if (messages.day !== day) messages = { day, count: 0 }
    return messages.count
  }

  function countMessages(recipients: number): void {
    const count = messagesToday() + 1 + recipients
    messages = { ...messages, count }
  }

  /** With authorized connections only those count towards the quota (pusher/README.md §7). */
  function isOverConnectionQuota(): boolean {
    if (faults.strike(["over-quota"], { app: settings, quota: "connections" }).length > 0) return true
    const counted = [...connections.values()].filter(
      (one) => one.isAuthorized || !settings.authorizedConnections,
    )
    return counted.length >= settings.connectionQuota
  }

  function onAuthorized(connection: ConnectionHandle): void {
    if (connection.isAuthorized) return
    if (settings.authorizedConnections && isOverConnectionQuota()) {
      connection.close(4004)
      return
    }
    connection.isAuthorized = true
    authorizationTimers.get(connection)?.()
  }

  function receive(connection: ConnectionHandle, frame: ClientFrame): void {
    switch (frame.event) {
      case "pusher:ping":
        connection.send(systemFrame("pusher:pong", {}))
        break
      case "pusher:pong":
        break
      case "pusher:subscribe":
        subscriptions.subscribe(connection, frame)
        break
      case "pusher:unsubscribe":
        channels.unsubscribe(connection, frame.channel)
        break
      case "pusher:signin":
        users.signin(connection, frame)
        break
      case "malformed":
        connection.send(errorFrame(null, frame.message))
        break
      default:
        clientEvents.trigger(connection, frame)
    }
  }

  function leave(connection: ConnectionHandle): void {
    connections.delete(connection.socketId)
    authorizationTimers.get(connection)?.()
    authorizationTimers.delete(connection)
    for (const channel of [...connection.subscriptions]) channels.unsubscribe(connection, channel)
    users.leave(connection)
  }

  return {
    id: settings.id,
    key: settings.key,
    secret: settings.secret,
    settings,
    connections,
    channels,
    users,
    cache,
    webhooks,
    now,
    get messages() {
      return messagesToday()
    },

    connect(socket, protocol) {
      const isOverQuota = isOverConnectionQuota()
      const socketId = createSocketId(random)
      const connection: ConnectionHandle = createConnection({
        socketId,
        protocol,
        settings,
        socket,
        clock,
        faults,
        onFrame: (frame) => receive(connection, frame),
        onEnd: () => leave(connection),
      })
      connections.set(socketId, connection)
      if (isOverQuota) {
        connection.close(4004)
        return connection
      }

      const established: JsonObject = { socket_id: socketId }
      if (protocol >= 7) established.activity_timeout = settings.activityTimeout
      const target = { app: settings, socketId, moment: "connect" as const }
      for (const fault of faults.strike(connectionFaults, target)) connection.suffer(fault)
      connection.send(systemFrame("pusher:connection_established", established))

      if (settings.authorizedConnections && connection.isOpen) {
        const close = () => connection.close(4009, "Connection not authorized within timeout")
        authorizationTimers.set(
          connection,
          clock.schedule(close, settings.authorizationTimeoutSeconds * 1000),
        )
      }
      return connection
    },

    trigger({ name, channel, data, socket_id }) {
      if (isCacheChannel(channel)) cache.set(channel, name, data)
      countMessages(channels.publish(channel, eventFrame(name, channel, data), socket_id))
    },

    isOverMessageQuota() {
      if (faults.strike(["over-quota"], { app: settings, quota: "messages" }).length > 0) return true
      return messagesToday() >= settings.messageQuota
    },

    stop() {
      // First, so that nobody is told of the connections that end here.
      webhooks.stop()
      for (const connection of [...connections.values()]) connection.suffer({ kind: "cut" })
      channels.stop()
    },
  }
}
