import type { EventCache } from "./cache.ts"
import { type ChannelType, channelType, isCacheChannel } from "./channel-names.ts"
import type { Clock } from "./clock.ts"
import type { Connection } from "./connection.ts"
import { createPresence, type Member, type Presence } from "./presence.ts"
import { bareFrame, eventFrame, type ServerFrame, systemFrame } from "./protocol.ts"
import type { ResolvedAppSettings } from "./settings.ts"
import { createSubscriptionCountThrottle } from "./subscription-count.ts"
import type { Webhooks } from "./webhooks.ts"

/** A channel that somebody is in. */
export interface Channel {
  /** As clients subscribe to it: `private-room`. */
  readonly name: string
  /** What its prefix makes of it. */
  readonly type: ChannelType
  /** By socket id. */
  readonly subscribers: ReadonlyMap<string, Connection>
  /** Of presence channels only. */
  readonly presence?: Presence
}

export interface Channels {
  /** An occupied channel. */
  get(name: string): Channel | undefined
  occupied(): readonly Channel[]
  /** The connection has proved that it may. `member` is for presence channels. */
  subscribe(connection: Connection, name: string, member?: Member): void
  unsubscribe(connection: Connection, name: string): void
  /** Sends to the channel's subscribers but one; answers how many it went to. */
  publish(channel: string, frame: ServerFrame, exceptSocketId?: string): number
  stop(): void
}

export interface ChannelsOptions {
  settings: ResolvedAppSettings
  clock: Clock
  cache: EventCache
  webhooks: Webhooks
}

export function createChannels({ settings, clock, cache, webhooks }: ChannelsOptions): Channels {
  const channels = new Map<string, Channel & { subscribers: Map<string, Connection> }>()
  /** Occupied cache channels whose miss has been told by webhook: it isn't told for each subscriber (§11). */
  const missesTold = new Set<string>()
  const counts = createSubscriptionCountThrottle(clock, settings.limits, tellSubscriptionCount)

  function tellSubscriptionCount(name: string): void {
    const subscription_count = channels.get(name)?.subscribers.size ?? 0
    publish(name, systemFrame("pusher_internal:subscription_count", { subscription_count }, name))
    webhooks.emit({ name: "subscription_count", channel: name, subscription_count })
  }

  function publish(name: string, frame: ServerFrame, exceptSocketId?: string): number {
    let recipients = 0
    // A copy, because a fault may end a connection in the middle.
    for (const subscriber of [...(channels.get(name)?.subscribers.values() ?? [])]) {
      if (subscriber.socketId === exceptSocketId) continue
      subscriber.send(frame)
      recipients += 1
    }
    return recipients
  }

  function sendCached(connection: Connection, name: string): void {
    const cached = cache.get(name)
    if (cached) {
      connection.send(eventFrame(cached.event, name, cached.data))
      return
    }
    connection.send(bareFrame("pusher:cache_miss", name))
    if (missesTold.has(name)) return
    missesTold.add(name)
    webhooks.emit({ name: "cache_miss", channel: name })
  }

  return {
    get: (name) => channels.get(name),
    occupied: () => [...channels.values()],
    publish,

    subscribe(connection, name, member) {
      let channel = channels.get(name)
      const wasOccupied = channel !== undefined
      if (!channel) {
        const type = channelType(name)
        channel = {
          name,
          type,
          subscribers: new Map(),
          presence: type === "presence" ? createPresence() : undefined,
        }
        channels.set(name, channel)
      }
      channel.subscribers.set(connection.socketId, connection)
      connection.subscriptions.add(name)
      const { presence, type } = channel
      const isFirst = presence && member ? presence.join(connection.socketId, member) : false

      const success = presence ? presence.snapshot() : {}
      connection.send(systemFrame("pusher_internal:subscription_succeeded", success, name))
      if (isCacheChannel(name)) sendCached(connection, name)
      if (type === "server-to-user") return

      if (!wasOccupied) webhooks.emitReturned({ name: "channel_occupied", channel: name })
      if (member && isFirst) {
        const { user_id, user_info } = member
        const data = { user_id, user_info }
        publish(name, systemFrame("pusher_internal:member_added", data, name), connection.socketId)
        webhooks.emitReturned({ name: "member_added", channel: name, user_id })
      }
      if (settings.subscriptionCount && !presence) counts.changed(name, channel.subscribers.size)
    },

    unsubscribe(connection, name) {
      const channel = channels.get(name)
      connection.subscriptions.delete(name)
      if (!channel?.subscribers.delete(connection.socketId)) return

      const isVacated = channel.subscribers.size === 0
      if (isVacated) {
        channels.delete(name)
        missesTold.delete(name)
      }
      if (channel.type === "server-to-user") return

      const user_id = channel.presence?.leave(connection.socketId)
      if (user_id !== undefined) {
        publish(name, systemFrame("pusher_internal:member_removed", { user_id }, name))
        webhooks.emitLeft({ name: "member_removed", channel: name, user_id })
      }
      if (settings.subscriptionCount && !channel.presence) counts.changed(name, channel.subscribers.size)
      if (isVacated) webhooks.emitLeft({ name: "channel_vacated", channel: name })
    },

    stop: () => counts.stop(),
  }
}
