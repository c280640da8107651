import type Pusher from "pusher-js"
import { RealtimeError } from "../../errors.ts"
import { provider } from "./mapping.ts"

/** What the service sent. */
interface Frame {
  event: string
  channel?: string
  data?: unknown
}

/** Browser: tells which channel it is that Pusher refuses. */
export function followRefusals(
  client: Pusher,
  onRefused: (name: string, reason: RealtimeError) => void,
): void {
  const { connection } = client
  /** An error on the connection that could be about several pending subscriptions. */
  let unexplained: unknown

  function attribute(error: unknown): void {
    const pending = client.allChannels().flatMap((one) => (one.subscriptionPending ? one.name : []))
    const reason = fromSubscriptionError(error)
    const name = refusedOf(pending, reason.message)
    unexplained = name || pending.length === 0 ? undefined : error
    if (name) onRefused(name, reason)
  }

  connection.bind("error", (error: unknown) => {
    if (connection.state === "connected" && isRefusal(error)) attribute(error)
  })
  // pusher-js has seen it first.
  connection.bind("message", ({ event, channel, data }: Frame) => {
    if (event === "pusher:subscription_error" && channel) onRefused(channel, fromSubscriptionError(data))
    if (event === "pusher_internal:subscription_succeeded" && unexplained) attribute(unexplained)
  })
  connection.bind("state_change", () => {
    unexplained = undefined
  })
}

/**
 * Finds out whom an error on the connection is about. Pusher says there what it refuses, an invalid
 * signature or a full presence channel, and pusher-js hands on no more than the words. They name the
 * channel, or else it is the one that is still pending when the others are through.
 */
export function refusedOf(pending: readonly string[], text: string): string | undefined {
  // The longest: one channel's name may begin with another's.
  const [named] = pending
    .filter((name) => text.includes(name))
    .sort((one, other) => other.length - one.length)
  return named ?? (pending.length > 1 ? undefined : pending[0])
}

/**
 * Whether the service said no to something. pusher-js tells here of the end of a socket too, by its code and
 * while the state is still `connected`: a WebSocket's own below 4000, 4100–4199 by a service that is
 * overloaded, 4200–4299 by one that moves on or, with the connection going on, that doesn't know what it was
 * sent (of a sign-in, Reverb before 1.8).
 */
export function isRefusal(error: unknown): boolean {
  const { type, data } = (error ?? {}) as { type?: unknown; data?: { code?: unknown } | null }
  const code = data?.code
  const refuses = typeof code !== "number" || (code >= 4000 && code < 4100) || code >= 4300
  return type === "PusherError" && refuses
}

/** Its words stand in one place on the channel and in another on the connection. */
function fromSubscriptionError(error: unknown): RealtimeError {
  const { error: words, data } = (error ?? {}) as { error?: unknown; data?: { message?: unknown } | null }
  const found = typeof words === "string" ? words : data?.message
  const text = typeof found === "string" ? found : "unknown"
  const isFull = /limit|maximum|capacity/i.test(text)
  return new RealtimeError(isFull ? "rate-limited" : "unauthorized", {
    provider,
    message: `unable to join; Pusher refused: ${text}`,
    retryable: false,
    cause: error,
  })
}
