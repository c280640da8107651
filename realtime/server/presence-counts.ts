import { type ProviderEvent, webhookWindowMs } from "../publisher.ts"

/** How many people are where, kept from what the providers' webhooks tell. */
export interface PresenceCounts {
  /**
   * Takes in what a provider told. Repeating an event, or telling an older
   * one after a newer, changes nothing.
   */
  record(provider: string, events: readonly ProviderEvent[]): Promise<void>
  /** People, not connections; each once, over all providers. In the order of `channels`. */
  count(channels: readonly string[]): Promise<number[]>
}

/**
 * After this somebody counts as gone although no webhook said so: the app was down for
 * longer than webhooks are repeated.
 */
export const presenceLifetimeMs = 24 * 60 * 60 * 1000

interface Connection {
  provider: string
  channel: string
  userId: string
  isPresent: boolean
  at: number
}

/**
 * In this process alone: for one server, and for tests. A serverless app keeps its counts in its database.
 * `now` is the time of day in milliseconds since 1970, the machine's by default.
 */
export function createMemoryPresenceCounts({ now = Date.now }: { now?: () => number } = {}): PresenceCounts {
  const connections = new Map<string, Connection>()

  function forget(): void {
    for (const [key, { isPresent, at }] of connections) {
      // What left is remembered for as long as a repeated webhook could say that it came.
      if (at < now() - (isPresent ? presenceLifetimeMs : webhookWindowMs)) connections.delete(key)
    }
  }

  return {
    async record(provider, events) {
      for (const event of events) {
        const { channel, at } = event
        if (event.kind === "channel-vacated") {
          for (const known of connections.values())
            if (known.provider === provider && known.channel === channel && known.at <= at)
              Object.assign(known, { isPresent: false, at })
        } else if ("connection" in event) {
          const key = JSON.stringify([provider, channel, event.connection])
          if ((connections.get(key)?.at ?? 0) > at) continue
          const isPresent = event.kind === "member-joined"
          connections.set(key, { provider, channel, userId: event.userId, isPresent, at })
        }
      }
      forget()
    },
    async count(channels) {
      forget()
      const people = new Map(channels.map((channel) => [channel, new Set<string>()]))
      for (const { channel, userId, isPresent } of connections.values())
        if (isPresent) people.get(channel)?.add(userId)
      return channels.map((channel) => people.get(channel)?.size ?? 0)
    },
  }
}
