import type { OnError } from "../errors.ts"
import { follow, guardTracing, startAll, type TracedMessage, type Tracing } from "../tracing.ts"
import type { OutgoingMessage, PublishResult } from "../transport.ts"

/** What a client does with messages that are followed. */
export interface MessageFollower {
  /** Sends messages of one channel by `deliver`, each with the trace context that goes on with it. */
  send(
    channel: string,
    messages: readonly OutgoingMessage[],
    deliver: (messages: readonly OutgoingMessage[]) => Promise<PublishResult[]>,
  ): Promise<PublishResult[]>
  /**
   * Hands what has arrived to the application by `hand`, and throws what that throws. Messages that are
   * followed came with their context.
   */
  receive(messages: readonly TracedMessage[], hand: () => void): void
}

/**
 * Browser: for the option `tracing` of a client: follows its messages out of the page and into it. What
 * `tracing` throws goes to the client's `onError`, and the message goes on unfollowed.
 *
 * ```ts
 * const tracing = followMessages({
 *   start(step, { id }) {
 *     const begun = performance.now()
 *     return { end: () => console.log(step, id, performance.now() - begun) }
 *   },
 * })
 * createRealtimeClient({ config, providers: {}, tracing })
 * ```
 */
export function followMessages(tracing: Tracing): (onError: OnError) => MessageFollower {
  return (onError) => {
    const guarded = guardTracing(tracing, onError)
    return {
      send: (channel, messages, deliver) => follow(guarded, "send", () => channel, messages, deliver),
      receive(messages, hand) {
        const end = startAll(guarded, "receive", messages)
        try {
          hand()
          end()
        } catch (error) {
          end(error)
          throw error
        }
      },
    }
  }
}
