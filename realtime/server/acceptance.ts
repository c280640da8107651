import { v4 as uuidv4, v7 as uuidv7 } from "uuid"
import {
  type ChannelDefinitions,
  type ResolvedChannel,
  resolveChannel,
  schemaOf,
  validate,
} from "../channel.ts"
import { isRealtimeError, type OnError, RealtimeError } from "../errors.ts"
import { reportFailure } from "../guard.ts"
import type { JsonValue } from "../json.ts"
import type { LogEntry } from "../log/message-log.ts"
import { isDeeperThan, jsonByteLength, type Signal, type SignalOrigin, type User } from "../message.ts"
import type { ChannelAction } from "../publisher.ts"
import { carrying } from "../tracing.ts"
import type { OutgoingMessage } from "../transport.ts"
import { shownUser } from "./session.ts"
import { stateSchemaOf } from "./state-keys.ts"
import type { AuthorizeRequest, RealtimeOptions } from "./types.ts"

export const defaultMaxPayloadBytes = 32 * 1024
/** More than any document has that people or programs make on purpose. */
const maxPayloadDepth = 100

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** What server code says in its own name, or somebody else's. */
export interface TrustedEntry {
  channel: string
  event: string
  payload: unknown
  id: string
  from: User | null
  /** Where messages are followed: the step that it is taken in by. */
  traceparent?: string | undefined
}

/** What is let in: whether somebody may, and what its schema makes of it. Everything that isn't rejects. */
export interface Acceptance<Definitions extends ChannelDefinitions> {
  /** The channel of this name; throws for one that isn't defined. */
  resolve(name: unknown): ResolvedChannel<Definitions>
  /** That `options.authorize` allows it. */
  permit(user: User, name: string, action: ChannelAction): Promise<void>
  /**
   * What each message of one request becomes, in order: its entry, or why not. All are asked about at once,
   * as if those before were let in; behind one that wasn't, anew. Behind one that may be let in later nothing
   * is, or it would stand before it.
   */
  messages(
    user: User,
    channel: ResolvedChannel<Definitions>,
    messages: readonly OutgoingMessage[],
  ): Promise<(LogEntry | RealtimeError)[]>
  /** Not authorized: server code's own. */
  trusted(entry: TrustedEntry): Promise<LogEntry>
  signal(
    user: User,
    channel: ResolvedChannel<Definitions>,
    event: string,
    payload: unknown,
    origin?: SignalOrigin,
  ): Promise<Signal>
  /** Not authorized: server code's own. */
  trustedSignal(from: User, name: string, event: string, payload: unknown): Promise<Signal>
  presence(user: User, name: string, data: unknown): Promise<JsonValue>
  /** How a value of this key is let in; throws at once for a key that the channel doesn't have. */
  stateValue(name: string, key: string): (value: unknown) => Promise<JsonValue>
}

export interface AcceptanceContext {
  /** Whether the server follows messages: only then what a browser says of one is carried on. */
  isTracing: boolean
  onError: OnError
}

/** `options` as they are at each question: `redefine` may have changed the channels. */
export function createAcceptance<Definitions extends ChannelDefinitions>(
  options: Pick<RealtimeOptions<Definitions>, "channels" | "authorize" | "maxPayloadBytes">,
  { isTracing, onError }: AcceptanceContext,
): Acceptance<Definitions> {
  const { maxPayloadBytes = defaultMaxPayloadBytes } = options
  const resolve = (name: unknown) => resolveChannel(options.channels, name)

  async function requirePermission(
    user: User,
    channel: ResolvedChannel<Definitions>,
    action: ChannelAction,
    content?: Pick<AuthorizeRequest<Definitions>, "id" | "event" | "payload" | "earlier">,
  ): Promise<void> {
    if ((await options.authorize({ user, channel, action, ...content })) === true) return
    throw new RealtimeError("channel-denied", {
      message: `unable to ${action}; the user may not do this here`,
    })
  }

  /** What arrived as `payload`, once the schema has had its say, as the log will keep it. */
  async function payloadOf(
    channel: ResolvedChannel<Definitions>,
    kind: "messages" | "signals",
    event: unknown,
    payload: unknown,
  ): Promise<JsonValue> {
    const schema = schemaOf(channel.definition[kind], event)
    refuseDepth(payload)
    return withinSize(await validate(schema, payload, `the ${kind === "messages" ? "message" : "signal"}`))
  }

  function withinSize(payload: unknown): JsonValue {
    const bytes = jsonByteLength(payload)
    if (bytes > maxPayloadBytes) {
      throw new RealtimeError("message-too-large", {
        message: `unable to accept a payload of ${bytes} bytes; the limit is ${maxPayloadBytes}`,
      })
    }
    return (payload ?? null) as JsonValue
  }

  async function toEntry(
    user: User,
    channel: ResolvedChannel<Definitions>,
    { id, event, payload, traceparent }: OutgoingMessage,
    earlier: readonly OutgoingMessage[],
  ): Promise<LogEntry> {
    if (typeof id !== "string" || !uuid.test(id)) {
      throw new RealtimeError("invalid-request", {
        message: "unable to accept the message; its id is not a UUID",
      })
    }
    const accepted = await payloadOf(channel, "messages", event, payload)
    await requirePermission(user, channel, "publish", { id, event, payload: accepted, earlier })
    // What a browser says of it is carried on only by a server that follows messages itself.
    return {
      id,
      channel: channel.name,
      event,
      payload: accepted,
      from: user,
      ...(isTracing && carrying(traceparent)),
    }
  }

  async function prepare(
    user: User,
    channel: ResolvedChannel<Definitions>,
    messages: readonly OutgoingMessage[],
  ): Promise<(LogEntry | RealtimeError)[]> {
    const ask = (message: OutgoingMessage, earlier: readonly OutgoingMessage[]) =>
      toEntry(user, channel, message, earlier).catch(asRealtimeError(onError, message.id))
    const asked = await Promise.all(messages.map((message, index) => ask(message, messages.slice(0, index))))
    const prepared: (LogEntry | RealtimeError)[] = []
    const accepted: OutgoingMessage[] = []
    for (const [index, message] of messages.entries()) {
      const isAsSupposed = accepted.length === index
      const outcome = isAsSupposed
        ? (asked[index] as LogEntry | RealtimeError)
        : await ask(message, [...accepted])
      prepared.push(outcome)
      if (!isRealtimeError(outcome)) accepted.push(message)
      else if (outcome.retryable)
        return [...prepared, ...messages.slice(index + 1).map(() => waitingFor(outcome))]
    }
    return prepared
  }

  async function toTrustedEntry(entry: TrustedEntry): Promise<LogEntry> {
    const { channel, event, payload, id, from, traceparent } = entry
    const accepted = await payloadOf(resolve(channel), "messages", event, payload)
    return {
      id,
      channel,
      event,
      payload: accepted,
      from: from && shownUser(from, "`from`"),
      ...carrying(traceparent),
    }
  }

  return {
    resolve,
    async permit(user, name, action) {
      await requirePermission(user, resolve(name), action)
    },
    messages: prepare,
    trusted: toTrustedEntry,
    async signal(user, channel, event, payload, origin) {
      const accepted = await payloadOf(channel, "signals", event, payload)
      await requirePermission(user, channel, "signal", { event, payload: accepted })
      return toSignal(channel, event, accepted, user, origin)
    },
    async trustedSignal(from, name, event, payload) {
      const channel = resolve(name)
      const accepted = await payloadOf(channel, "signals", event, payload)
      return toSignal(channel, event, accepted, shownUser(from, "`from`"))
    },
    async presence(user, name, data) {
      const channel = resolve(name)
      await requirePermission(user, channel, "presence")
      if (!channel.definition.presence) {
        throw new RealtimeError("unsupported", {
          message: "unable to enter; the channel declares no presence",
        })
      }
      refuseDepth(data)
      return withinSize(await validate(channel.definition.presence, data, "the presence data"))
    },
    stateValue(name, key) {
      const schema = stateSchemaOf(resolve(name).definition, key)
      return async (value) => {
        refuseDepth(value)
        const accepted = withinSize(await validate(schema, value, `"${key}"`))
        // As the store will have it: what the caller makes of its object later is another value.
        return JSON.parse(JSON.stringify(accepted)) as JsonValue
      }
    },
  }
}

/** Before a schema walks through it, which may do so by recursion. */
function refuseDepth(payload: unknown): void {
  if (!isDeeperThan(payload, maxPayloadDepth)) return
  throw new RealtimeError("invalid-payload", {
    message: `unable to accept a payload of more than ${maxPayloadDepth} levels`,
  })
}

/** What this process's clock is called, where signals of several meet. */
const clock = uuidv4()

const toSignal = (
  { name: channel, definition }: ResolvedChannel,
  event: string,
  payload: JsonValue,
  from: User,
  origin?: SignalOrigin,
): Signal => ({
  ...{ id: uuidv7(), channel, event, payload, from, at: Date.now(), clock },
  ...(origin && { origin }),
  ...(definition.latest.includes(event) && { isLatest: true }),
})

const waitingFor = ({ code, retryAfterMs }: RealtimeError) =>
  new RealtimeError(code, {
    message: "unable to accept the message yet; it waits for the one before",
    retryable: true,
    retryAfterMs,
  })

/** One message's failure is its own result; what isn't a `RealtimeError` is said as `internal`. */
function asRealtimeError(onError: OnError, id: string) {
  return (error: unknown): RealtimeError => {
    reportFailure(onError, error, { stage: "accept a message", messages: [id] })
    if (isRealtimeError(error)) return error
    return new RealtimeError("internal", {
      message: "unable to accept the message; the server failed",
      cause: error,
    })
  }
}
