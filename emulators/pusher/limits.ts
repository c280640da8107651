/** The service's published limits (pusher/README.md §2, §4, §5, §7, §9, §10.3). An app may override each of them. */
export interface PusherLimits {
  /** Characters in a channel name. */
  channelNameLength: number
  /** Characters in an event name. */
  eventNameLength: number
  /** Bytes of `data` in one event, over HTTP and from a client. */
  eventDataBytes: number
  /** Channels in one `POST /events`. */
  channelsPerTrigger: number
  /** Events in one `POST /batch_events`. */
  eventsPerBatch: number
  /** Distinct users in a presence channel. */
  presenceMembers: number
  /** Characters in a `user_id`. */
  userIdLength: number
  /** Bytes of `user_info`. */
  userInfoBytes: number
  /** Client events a connection may send in one second. */
  clientEventsPerSecond: number
  /** User ids of a watchlist that are taken into account. */
  watchlistLength: number
  /** How long the last event of a cache channel is kept. */
  cacheTtlMs: number
  /** From this many subscribers on, `subscription_count` is sent at most once per interval. */
  subscriptionCountThreshold: number
  /** That interval, in milliseconds. */
  subscriptionCountIntervalMs: number
  /** Channels that one connection may be subscribed to (4100). Not a vendor's figure: more than any honest page has. */
  subscriptionsPerConnection: number
  /** Bytes of one WebSocket frame from a client; a bigger one closes the socket with 1009. Not a vendor's figure. */
  frameBytes: number
  /** How far `auth_timestamp` may be from the service's clock. */
  timestampSkewSeconds: number
}

/** The limits of an app that overrides none. */
export const defaultLimits: PusherLimits = {
  channelNameLength: 200,
  eventNameLength: 200,
  eventDataBytes: 10 * 1024,
  channelsPerTrigger: 100,
  eventsPerBatch: 10,
  presenceMembers: 100,
  userIdLength: 128,
  userInfoBytes: 1024,
  clientEventsPerSecond: 10,
  watchlistLength: 100,
  cacheTtlMs: 30 * 60_000,
  subscriptionCountThreshold: 100,
  subscriptionCountIntervalMs: 5_000,
  subscriptionsPerConnection: 10_000,
  frameBytes: 256 * 1024,
  timestampSkewSeconds: 600,
}

export function byteLength(text: string): number {
  return new TextEncoder().encode(text).length
}
