import {
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  ExponentialBackoff,
  handleWhen,
  isBrokenCircuitError,
} from "cockatiel"
import { backOffMs, pause } from "../back-off.ts"
import { isRealtimeError, type OnError, RealtimeError } from "../errors.ts"
import { guard } from "../guard.ts"
import type { Signal, WireMessage } from "../message.ts"
import type { RealtimePublisher } from "../publisher.ts"

export interface DeliveryOptions {
  publishers: readonly RealtimePublisher[]
  onError: OnError
  /** How long all attempts at one provider may take together. */
  timeoutMs: number
  /** As in `RealtimeOptions`. */
  waitUntil?: ((work: Promise<unknown>) => void) | undefined
  /**
   * How long a provider that keeps failing is left alone before it is tried
   * again; doubles up to `maxPauseMs`.
   */
  pauseMs?: number
}

const firstRetryMs = 200
const defaultLimitMs = 1_000
const maxPauseMs = 30_000
/** How many deliveries in a row have to fail, each with its retries, before the provider is left alone. */
const failuresUntilPause = 3

/** How many channels a backlog holds. Pages find what is missing in others when they compare heads. */
const maxBacklogChannels = 1_000

const isPassing = (error: unknown) =>
  isBrokenCircuitError(error) || (isRealtimeError(error) && error.retryable)

/** A failure names so many of its messages, and no more. */
const maxNamed = 20

/** So many deliveries at once are more than a provider keeps up with. */
const maxUnderWay = 100

export interface Delivery {
  /** Resolves within the limit and never rejects: a failure goes to `onError`. */
  deliver(messages: readonly WireMessage[]): Promise<void>
  /**
   * Hands a signal to every provider that has room for it: none goes to one that is failing, limits us or is
   * behind, for the messages come first. Rejects with the reason when none took it.
   */
  signal(signal: Signal, options?: { except?: string }): Promise<void>
  /** Gives up the backlog. */
  stop(): void
}

interface Deliverer extends Delivery {
  readonly provider: string
}

/**
 * Hands logged messages to every provider, and tries again what fails in passing. What a provider couldn't be
 * given stays in the log for its readers, and the newest message of each channel is kept in a backlog: once
 * the provider delivers it, its `seq` shows the gap.
 *
 * A provider that keeps failing is left alone for a while, so that it doesn't make every publish wait.
 */
export function createDelivery(options: DeliveryOptions): Delivery {
  const deliverers = options.publishers.map((publisher) => createDeliverer(publisher, options))
  return {
    async deliver(messages) {
      await Promise.all(deliverers.map((deliverer) => deliverer.deliver(messages)))
    },
    async signal(signal, { except } = {}) {
      const others = deliverers.filter(({ provider }) => provider !== except)
      const attempts = await Promise.allSettled(others.map((deliverer) => deliverer.signal(signal)))
      const failed = attempts.find((attempt) => attempt.status === "rejected")
      if (failed && attempts.every((attempt) => attempt.status === "rejected")) throw failed.reason
    },
    stop() {
      for (const deliverer of deliverers) deliverer.stop()
    },
  }
}

function createDeliverer(
  publisher: RealtimePublisher,
  { onError, timeoutMs, waitUntil, pauseMs = 5_000 }: DeliveryOptions,
): Deliverer {
  const { provider } = publisher
  const stage = `publish to ${provider}`
  const backlog = new Map<string, WireMessage>()
  let later: NodeJS.Timeout | undefined
  let isStopped = false
  let underWay = 0
  /** By `performance.now()`: it said that it had enough. */
  let limitedUntil = 0

  const breaker = circuitBreaker(handleWhen(isPassing), {
    breaker: new ConsecutiveBreaker(failuresUntilPause),
    halfOpenAfter: new ExponentialBackoff({ initialDelay: pauseMs, maxDelay: maxPauseMs }),
  })
  breaker.onBreak((reason) => {
    const message = `unable to publish, again and again; ${provider} is left alone until it answers`
    const cause = "error" in reason ? reason.error : undefined
    onError(new RealtimeError("provider-unavailable", { provider, message, cause }), { stage })
  })

  async function attempt(
    messages: readonly WireMessage[],
    onFailure: (error: unknown) => void,
  ): Promise<void> {
    const end = performance.now() + timeoutMs
    for (let failures = 1; ; failures += 1) {
      try {
        return await publisher.publish(messages)
      } catch (error) {
        onFailure(error)
        if (!isRealtimeError(error) || !error.retryable) throw error
        if (error.code === "rate-limited")
          limitedUntil = performance.now() + (error.retryAfterMs ?? defaultLimitMs)
        const waitMs = backOffMs({ firstMs: firstRetryMs, maxMs: timeoutMs }, failures, error)
        if (performance.now() + waitMs >= end) throw error
        await pause(waitMs)
      }
    }
  }

  /** Rejects within the limit, with the reason of the last attempt if there was one. */
  async function attemptInTime(messages: readonly WireMessage[]): Promise<void> {
    let reason: unknown
    const { promise: limit, reject } = Promise.withResolvers<never>()
    const timer = setTimeout(() => {
      // The publish is answered now; what is on its way yet ends within a request's time.
      guard(onError, "waitUntil", () => waitUntil?.(attempts.catch(() => {})))
      const message = `unable to publish; there was no answer in ${timeoutMs} ms`
      reject(reason ?? new RealtimeError("timeout", { provider, message }))
    }, timeoutMs)
    const attempts = attempt(messages, (error) => {
      reason = error
    })
    try {
      await Promise.race([attempts, limit])
    } finally {
      clearTimeout(timer)
    }
  }

  function addToBacklog(messages: readonly WireMessage[]): void {
    for (const message of messages) {
      const { channel, seq } = message
      const isNewer = (backlog.get(channel)?.seq ?? 0) < seq
      if (isNewer && (backlog.has(channel) || backlog.size < maxBacklogChannels))
        backlog.set(channel, message)
    }
    // Where nothing runs between requests, it goes with the next publish.
    if (backlog.size === 0 || isStopped || waitUntil) return
    later ??= setTimeout(() => {
      later = undefined
      void deliver([])
    }, pauseMs).unref()
  }

  async function deliver(messages: readonly WireMessage[]): Promise<void> {
    const channels = new Set(messages.map(({ channel }) => channel))
    const late = [...backlog.values()].filter(({ channel }) => !channels.has(channel))
    const all = [...late, ...messages]
    if (all.length === 0) return
    const settle = () => {
      for (const { channel, seq } of all) if ((backlog.get(channel)?.seq ?? 0) <= seq) backlog.delete(channel)
    }
    underWay += 1
    try {
      await breaker.execute(() => attemptInTime(all))
      settle()
    } catch (error) {
      if (isPassing(error)) addToBacklog(messages)
      // One of them was refused and would be again, with all others that are sent with it.
      else settle()
      // That it is left alone was said when that began.
      if (!isBrokenCircuitError(error))
        onError(error, { stage, messages: all.slice(0, maxNamed).map(({ id }) => id) })
    } finally {
      underWay -= 1
    }
  }

  async function signal(signal: Signal): Promise<void> {
    const now = performance.now()
    if (breaker.state !== CircuitState.Closed || now < limitedUntil || underWay >= maxUnderWay) {
      const message = "unable to send the signal; the messages come first"
      throw new RealtimeError("rate-limited", { provider, message, retryAfterMs: defaultLimitMs })
    }
    await publisher.signal(signal)
  }

  return {
    provider,
    deliver,
    signal,
    stop() {
      isStopped = true
      backlog.clear()
      clearTimeout(later)
    },
  }
}
