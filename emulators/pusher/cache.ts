import type { Clock } from "./clock.ts"

export interface CachedEvent {
  event: string
  data: string
  /** How long it is kept yet. */
  ttlMs: number
}

/** The last event of each cache channel (pusher/README.md §9). It outlives the channel's subscribers. */
export interface EventCache {
  readonly size: number
  get(channel: string): CachedEvent | undefined
  /** Only what the HTTP API triggers is cached, never a client event. */
  set(channel: string, event: string, data: string): void
  /** The service may forget sooner: the lifetime is "up to" thirty minutes. */
  clear(channel?: string): void
}

export function createEventCache(clock: Clock, ttlMs: number): EventCache {
  const events = new Map<string, { event: string; data: string; expiresAt: number }>()

  return {
    get size() {
      return events.size
    },
    get(channel) {
      const cached = events.get(channel)
      const ttlMs = cached ? cached.expiresAt - clock.now() : 0
      if (cached && ttlMs > 0) return { event: cached.event, data: cached.data, ttlMs }
      events.delete(channel)
      return undefined
    },
    set(channel, event, data) {
      // The oldest are first, since all are kept for as long.
      for (const [name, { expiresAt }] of events) {
        if (expiresAt > clock.now()) break
        events.delete(name)
      }
      events.delete(channel)
      events.set(channel, { event, data, expiresAt: clock.now() + ttlMs })
    },
    clear: (channel) => (channel === undefined ? events.clear() : void events.delete(channel)),
  }
}
