import { isRealtimeError, type OnError, RealtimeError } from "../errors.ts"
import type { WireMessage } from "../message.ts"
import type { RealtimePublisher } from "../publisher.ts"

export interface DeliveryOptions {
  publishers: readonly RealtimePublisher[]
  onError: OnError
  /** How long all attempts at one provider may take together. */
  timeoutMs: number
}

const firstPauseMs = 200

/**
 * Hands logged messages to every provider, and tries again what fails in passing. Resolves within the limit and never
 * rejects: a failure goes to `onError`, and the readers find in the log what they weren't sent.
 */
export function createDelivery({ publishers, onError, timeoutMs }: DeliveryOptions) {
  async function attempt(
    publisher: RealtimePublisher,
    messages: readonly WireMessage[],
    onFailure: (error: unknown) => void,
  ): Promise<void> {
    const end = performance.now() + timeoutMs
    for (let pause = firstPauseMs; ; pause *= 2) {
      try {
        return await publisher.publish(messages)
      } catch (error) {
        onFailure(error)
        if (!isRealtimeError(error) || !error.retryable) throw error
        // Never in step with other servers that were refused at the same moment.
        const wait = error.retryAfterMs ?? pause * (0.5 + Math.random() / 2)
        if (performance.now() + wait > end) throw error
        await new Promise((resolve) => setTimeout(resolve, wait))
      }
    }
  }

  async function deliverTo(publisher: RealtimePublisher, messages: readonly WireMessage[]): Promise<void> {
    const { provider } = publisher
    const message = `unable to publish; there was no answer in ${timeoutMs} ms`
    let reason: unknown = new RealtimeError("timeout", { provider, message })
    const { promise: limit, reject } = Promise.withResolvers<never>()
    const timer = setTimeout(() => reject(reason), timeoutMs)
    const attempts = attempt(publisher, messages, (error) => {
      reason = error
    })
    try {
      await Promise.race([attempts, limit])
    } catch (error) {
      onError(error, { stage: `publish to ${provider}` })
    } finally {
      clearTimeout(timer)
    }
  }

  return async (messages: readonly WireMessage[]): Promise<void> => {
    await Promise.all(publishers.map((publisher) => deliverTo(publisher, messages)))
  }
}
