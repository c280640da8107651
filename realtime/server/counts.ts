import type { ChannelDefinitions } from "../channel.ts"
import { RealtimeError } from "../errors.ts"
import type { RealtimePublisher } from "../publisher.ts"
import { readText } from "./http.ts"
import type { RealtimeOptions } from "./types.ts"

/** How many people are where, from the two sources there are: providers that can be asked, and webhooks. */
export interface Counts {
  /** Null where neither knows. */
  of(channels: readonly string[]): Promise<(number | null)[]>
  /** Takes in a provider's webhook once it is verified. */
  takeWebhook(publisher: RealtimePublisher, request: Request): Promise<void>
}

export function createCounts<Definitions extends ChannelDefinitions>({
  publishers,
  presenceCounts,
}: RealtimeOptions<Definitions>): Counts {
  return {
    async of(channels) {
      const answers = await Promise.all([
        ...publishers.map((publisher) => publisher.counts?.(channels)),
        // Webhooks tell of people at providers that can't be asked for counts.
        publishers.some(({ webhook }) => webhook) ? presenceCounts?.count(channels) : undefined,
      ])
      const known = answers.filter((answer) => answer !== undefined)
      return channels.map((_, index) =>
        known.length === 0 ? null : known.reduce((sum, answer) => sum + (answer[index] ?? 0), 0),
      )
    },
    async takeWebhook(publisher, request) {
      if (!publisher.webhook || !presenceCounts) {
        const message = "unable to take the webhook; nothing here counts presence by webhooks"
        throw new RealtimeError("unsupported", { provider: publisher.provider, message })
      }
      const rawBody = await readText(request)
      const events = await publisher.webhook({ headers: request.headers, rawBody, now: Date.now() })
      await presenceCounts.record(publisher.provider, events)
    },
  }
}
