import type { OnError } from "./errors.ts"
import { guard } from "./guard.ts"

/**
 * The steps of a message's way that are followed: out of a page, into the server,
 * the log and a provider, into pages.
 */
export type TraceStep = "send" | "accept" | "append" | "deliver" | "receive"

/** Which message a step is about. */
export interface TracedMessage {
  /** The message's id. */
  readonly id: string
  /** The name of its channel. */
  readonly channel: string
  /** Its event. */
  readonly event: string
}

/** One step, until it ends. */
export interface TraceSpan {
  /** The W3C trace context (https://www.w3.org/TR/trace-context/) that goes on with the message. */
  readonly traceparent?: string | undefined
  /** The step is over; `error` is why it failed, and absent when it didn't. Called once. */
  end(error?: unknown): void
}

/**
 * Follows messages for whoever watches the system. Where there is none, nothing is
 * followed and nothing more travels.
 */
export interface Tracing {
  /**
   * A step begins; `parent` is the context that came with the message. Null when this message isn't followed.
   * `attributes` says where: the provider, for example.
   */
  start(
    step: TraceStep,
    message: TracedMessage,
    parent?: string,
    attributes?: Readonly<Record<string, string | number>>,
  ): TraceSpan | null
}

const pattern = /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/

/** A context that a browser sent, if it is one: what is carried on is never longer or of another form. */
export const toTraceparent = (value: unknown): string | undefined =>
  typeof value === "string" && pattern.test(value) ? value : undefined

/** A property for an object literal: nothing, where nothing is followed. */
export const carrying = (traceparent: string | undefined): { traceparent?: string } =>
  traceparent === undefined ? {} : { traceparent }

/**
 * The same for a follower that may fail: what it throws goes to `onError`,
 * and the message goes on unfollowed.
 */
export function guardTracing(tracing: Tracing, onError: OnError): Tracing {
  return {
    start(step, message, parent, attributes) {
      try {
        const span = tracing.start(step, message, parent, attributes)
        if (!span) return null
        const { traceparent } = span
        return { traceparent, end: (error) => guard(onError, "tracing", () => span.end(error)) }
      } catch (error) {
        onError(error, { stage: "tracing" })
        return null
      }
    },
  }
}

/** Begins the same step of several messages; what it returns ends it for all. */
export function startAll(
  tracing: Tracing,
  step: TraceStep,
  messages: readonly (TracedMessage & { readonly traceparent?: string | undefined })[],
  attributes?: Readonly<Record<string, string | number>>,
): (error?: unknown) => void {
  const spans = messages.map((message) => tracing.start(step, message, message.traceparent, attributes))
  return (error) => {
    for (const span of spans) span?.end(error)
  }
}

/** What may be followed: strangers' messages are followed before it is known whether they are any. */
interface Followable {
  readonly id: unknown
  readonly event: unknown
  readonly traceparent?: unknown
}

/**
 * Follows messages while they are sent or taken in: `work` gets each with the context that goes on with it,
 * and each one's outcome ends its step. Without anybody who follows it is `work` alone.
 */
export async function follow<Message extends Followable, Outcome extends object>(
  tracing: Tracing | undefined,
  step: TraceStep,
  channelOf: (message: Message) => string,
  messages: readonly Message[],
  work: (messages: readonly Message[]) => Promise<Outcome[]>,
): Promise<Outcome[]> {
  if (!tracing) return work(messages)
  const spans = messages.map((message) => {
    const { id, event, traceparent } = message
    if (typeof id !== "string" || typeof event !== "string") return null
    return tracing.start(step, { id, channel: channelOf(message), event }, toTraceparent(traceparent))
  })
  try {
    const outcomes = await work(
      messages.map((message, index) => ({ ...message, traceparent: spans[index]?.traceparent })),
    )
    outcomes.forEach((outcome, index) => {
      spans[index]?.end("error" in outcome ? outcome.error : undefined)
    })
    return outcomes
  } catch (error) {
    for (const span of spans) span?.end(error)
    throw error
  }
}
