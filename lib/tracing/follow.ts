import { startAll, type Tracing } from "throughline"
import type { MessageLog, RealtimePublisher } from "throughline/server"

/** The same log; each message that is followed shows when it was committed. */
export function followLog(tracing: Tracing, log: MessageLog): MessageLog {
  return {
    ...log,
    async append(entries) {
      const end = startAll(tracing, "append", entries, { "messaging.batch.message_count": entries.length })
      return ended(end, log.append(entries))
    },
  }
}

/** The same providers; each message that is followed shows when it was handed over. */
export function followPublishers(
  tracing: Tracing,
  publishers: readonly RealtimePublisher[],
): RealtimePublisher[] {
  return publishers.map((publisher) => ({
    ...publisher,
    async publish(messages) {
      const end = startAll(tracing, "deliver", messages, { "throughline.provider": publisher.provider })
      await ended(end, publisher.publish(messages))
    },
  }))
}

async function ended<T>(end: (error?: unknown) => void, work: Promise<T>): Promise<T> {
  try {
    const result = await work
    end()
    return result
  } catch (error) {
    end(error)
    throw error
  }
}

/** Several ways to follow a message, as one. The context that travels is the first's that has one. */
export function followBy(ways: readonly (Tracing | undefined)[]): Tracing | undefined {
  const tracings = ways.filter((way) => way !== undefined)
  if (tracings.length <= 1) return tracings[0]
  return {
    start(...step) {
      const spans = tracings.map((tracing) => tracing.start(...step)).filter((span) => span !== null)
      if (spans.length === 0) return null
      return {
        traceparent: spans.find(({ traceparent }) => traceparent)?.traceparent,
        end(error) {
          for (const span of spans) span.end(error)
        },
      }
    },
  }
}
