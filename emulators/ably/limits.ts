import type { Clock } from "./clock.ts"

/**
 * The service's limits, per app. Those that depend on the account (connections, messages) are off unless set; durations are
 * here too, so that a test can shorten them.
 */
export interface Limits {
  /** Bytes of one publish, all messages together (§6.3, 40009). */
  maxMessageSize: number
  /** Bytes of one frame; a longer one ends the connection. */
  maxFrameSize: number
  /** Bytes of one REST request body. */
  maxRequestSize: number
  /**
   * Messages a second that one connection may publish, on the average (42911), as `connectionDetails` announces. Presence
   * messages are counted by themselves, and may be four times as many.
   */
  maxInboundRate: number
  /** Messages a second, on the average, that may be published to one channel, by all together (42913). */
  maxChannelRate: number
  /** Messages a second, on the average, that may be published in the app, to all channels together (42910). */
  maxAppRate: number
  /** Rates are averages over this: as much as it allows may come in one burst. */
  rateWindow: number
  /** Channels that one connection may be attached to (90010). */
  maxChannelsPerConnection: number
  /** Members of one channel's presence set (91003). */
  maxPresenceMembers: number
  /** Connections of the app at one time (40111). */
  maxConnections: number
  /** Messages in one publish, and messages × channels in one batch. */
  maxMessagesPerPublish: number
  /** Channels in one batch request. */
  maxChannelsPerBatch: number
  /** How long a dropped connection can be resumed (§4.5). */
  connectionStateTtl: number
  /** The longest silence the server promises (§4.3). */
  maxIdleInterval: number
  /** How long members of a dropped connection stay (§4.5). */
  presenceLeaveDelay: number
  /** How far back a `channelSerial` is honoured (§5.1, 90003), and the history of channels that aren't persisted (§8). */
  continuityWindow: number
  /** Frames that a resumed attachment is given afterwards; with more missed than that, continuity is lost (90004). */
  maxBacklog: number
  /** The history of persisted namespaces. */
  persistedWindow: number
  /** Bytes of the frames, of the messages and of the presence events that one channel keeps; the oldest go first. Not the service's. */
  maxHistorySize: number
  /** How long the id of a publish is remembered (§2.3). */
  idempotencyWindow: number
  /** How far a TokenRequest's timestamp may be off (§3.2, 40104). */
  timestampTolerance: number
  /** How long before a token's expiry AUTH asks for a new one (§4.4); only for tokens that live longer than that. */
  reauthLead: number
  /** Members in one SYNC page (§7). */
  syncPageSize: number
}

export const DEFAULT_LIMITS: Limits = {
  maxMessageSize: 65_536,
  maxFrameSize: 524_288,
  maxRequestSize: 2_097_152,
  maxInboundRate: 50,
  maxChannelRate: 200,
  maxAppRate: Number.POSITIVE_INFINITY,
  rateWindow: 5_000,
  maxChannelsPerConnection: 200,
  maxPresenceMembers: 200,
  maxConnections: Number.POSITIVE_INFINITY,
  maxMessagesPerPublish: 1000,
  maxChannelsPerBatch: 100,
  connectionStateTtl: 120_000,
  maxIdleInterval: 15_000,
  presenceLeaveDelay: 15_000,
  continuityWindow: 120_000,
  maxBacklog: Number.POSITIVE_INFINITY,
  persistedWindow: 72 * 3_600_000,
  maxHistorySize: 16 * 1_048_576,
  idempotencyWindow: 120_000,
  timestampTolerance: 120_000,
  reauthLead: 30_000,
  syncPageSize: 100,
}

/** The same limits; calls back after any of them has changed, once for all that change in one turn. */
export function watchLimits(limits: Limits, onChange: () => void): Limits {
  let isTold = true
  return new Proxy(limits, {
    set(target, name, value) {
      const isChange = Reflect.get(target, name) !== value
      if (isChange && isTold) {
        isTold = false
        queueMicrotask(() => {
          isTold = true
          onChange()
        })
      }
      return Reflect.set(target, name, value)
    },
  })
}

export interface RateLimiter {
  /** Takes `count` permits if there are that many; otherwise takes none. */
  take(count: number): boolean
}

/** How many presence messages count as one that is published. */
export const PRESENCE_MILDNESS = 4

/** A bucket that holds what the rate gives in one `rateWindow`, and fills at the rate. */
export function createRateLimiter(clock: Clock, limits: Limits, perSecond: () => number): RateLimiter {
  const capacity = () => (perSecond() * limits.rateWindow) / 1000
  let permits = capacity()
  let last = clock.now()

  return {
    take(count) {
      const rate = perSecond()
      if (!Number.isFinite(rate)) return true
      const now = clock.now()
      permits = Math.min(capacity(), permits + (Math.max(0, now - last) / 1000) * rate)
      last = now
      if (count > permits) return false
      permits -= count
      return true
    },
  }
}
