import {
  type ChannelDefinitions,
  type ResolvedChannel,
  resolveChannel,
  schemaOf,
  validate,
} from "../channel.ts"
import { isRealtimeError, logError, RealtimeError } from "../errors.ts"
import type { JsonValue } from "../json.ts"
import type { AppendResult, LogEntry } from "../log/message-log.ts"
import {
  jsonByteLength,
  type PublishReceipt,
  type RealtimeMessage,
  type Signal,
  type User,
} from "../message.ts"
import type { ChannelAction } from "../publisher.ts"
import type { OutgoingMessage, PublishResult } from "../transport.ts"
import { createCommitQueue } from "./commit-queue.ts"
import { createDelivery } from "./delivery.ts"
import { createSharedReads } from "./shared-reads.ts"
import type { RealtimeCore, RealtimeOptions } from "./types.ts"

export const defaultMaxPayloadBytes = 32 * 1024
/** Less than a browser waits for the answer to its publish, which this is part of. */
const defaultDeliveryTimeoutMs = 5_000
/** The most messages of one publish, over HTTP or a socket. */
export const maxPublishBatch = 100

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** What `createRealtime` and the handlers share; `RealtimeCore` is the part that gateways see. */
export interface Core extends RealtimeCore {
  /** Validates and appends in server code's own name, then delivers. All or none. */
  publishTrusted(entries: readonly TrustedEntry[]): Promise<PublishReceipt[]>
  /** Validates a signal of server code; not authorized, not limited. */
  validateSignal(from: User, channel: string, event: string, payload: unknown): Promise<Signal>
  /** Waits for what is under way; what a provider couldn't be given until now it won't be given any more. */
  stop(): Promise<void>
}

export interface TrustedEntry {
  channel: string
  event: string
  payload: unknown
  id: string
  from: User | null
}

export function createCore<Definitions extends ChannelDefinitions>(
  options: RealtimeOptions<Definitions>,
): Core {
  const {
    channels,
    log,
    publishers,
    onError = logError,
    maxPayloadBytes = defaultMaxPayloadBytes,
    deliveryTimeoutMs = defaultDeliveryTimeoutMs,
  } = options
  const delivery = createDelivery({ publishers, onError, timeoutMs: deliveryTimeoutMs })
  const share = createSharedReads()
  const queue = createCommitQueue({ log, onCommit: deliver })

  /** Hands a committed group to every provider. Nobody's publish fails by it: the log has the messages. */
  async function deliver(entries: readonly LogEntry[], results: readonly AppendResult[]): Promise<void> {
    const messages: RealtimeMessage[] = []
    entries.forEach((entry, index) => {
      const { seq, epoch, at, isDuplicate } = results[index] as AppendResult
      if (!isDuplicate) messages.push({ ...entry, seq, epoch, at })
    })
    if (messages.length > 0) await delivery.deliver(messages)
  }

  async function question(
    user: User,
    channel: ResolvedChannel<Definitions>,
    action: ChannelAction,
    content?: { event: string; payload: unknown },
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
    return withinLimit(await validate(schema, payload, `the ${kind === "messages" ? "message" : "signal"}`))
  }

  function withinLimit(payload: unknown): JsonValue {
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
    { id, event, payload }: OutgoingMessage,
  ): Promise<LogEntry> {
    if (typeof id !== "string" || !uuid.test(id)) {
      throw new RealtimeError("invalid-request", {
        message: "unable to accept the message; its id is not a UUID",
      })
    }
    const accepted = await payloadOf(channel, "messages", event, payload)
    await question(user, channel, "publish", { event, payload: accepted })
    return { id, channel: channel.name, event, payload: accepted, from: user }
  }

  function toResult(user: User, result: AppendResult): PublishResult {
    const { id, seq, epoch, at, from, isDuplicate } = result
    if (!isDuplicate || from?.id === user.id) return { receipt: { id, seq, epoch, at } }
    const message = "unable to accept the message; somebody else's message has its id"
    return { error: new RealtimeError("conflict", { message }) }
  }

  return {
    async authorize(user, name, action) {
      await question(user, resolveChannel(channels, name), action)
    },

    async accept(user, name, messages) {
      const channel = resolveChannel(channels, name)
      if (messages.length > maxPublishBatch) {
        const message = `unable to accept ${messages.length} messages at once; the limit is ${maxPublishBatch}`
        throw new RealtimeError("invalid-request", { message })
      }
      await options.limit?.(user, "publish", messages.length)
      const prepared = await Promise.all(
        messages.map((message) => toEntry(user, channel, message).catch(asRealtimeError(onError))),
      )
      const entries = prepared.filter((entry): entry is LogEntry => !isRealtimeError(entry))
      const results = await queue.add(entries)
      let next = 0
      return prepared.map((entry) =>
        isRealtimeError(entry) ? { error: entry } : toResult(user, results[next++] as AppendResult),
      )
    },

    async publishTrusted(trusted) {
      const entries = await Promise.all(
        trusted.map(async ({ channel: name, event, payload, id, from }): Promise<LogEntry> => {
          const channel = resolveChannel(channels, name)
          return {
            id,
            channel: name,
            event,
            payload: await payloadOf(channel, "messages", event, payload),
            from,
          }
        }),
      )
      const results = await queue.add(entries)
      return results.map(({ id, seq, epoch, at }) => ({ id, seq, epoch, at }))
    },

    async acceptSignal(user, name, event, payload) {
      const channel = resolveChannel(channels, name)
      await options.limit?.(user, "signal", 1)
      const accepted = await payloadOf(channel, "signals", event, payload)
      await question(user, channel, "signal", { event, payload: accepted })
      return { channel: name, event, payload: accepted, from: user }
    },

    async validateSignal(from, name, event, payload) {
      const channel = resolveChannel(channels, name)
      return { channel: name, event, payload: await payloadOf(channel, "signals", event, payload), from }
    },

    async acceptPresence(user, name, data) {
      const channel = resolveChannel(channels, name)
      await question(user, channel, "presence")
      if (!channel.definition.presence) {
        throw new RealtimeError("unsupported", {
          message: "unable to enter; the channel declares no presence",
        })
      }
      return withinLimit(await validate(channel.definition.presence, data, "the presence data"))
    },

    readAfter: (channel, seq, limit) =>
      share(`${seq} ${limit} ${channel}`, () => log.readAfter(channel, seq, limit)),

    idle: () => queue.idle(),

    async stop() {
      await queue.idle()
      delivery.stop()
    },
  }
}

/** One message's failure is its own result; what isn't a `RealtimeError` is reported and said as `internal`. */
function asRealtimeError(onError: NonNullable<RealtimeOptions<ChannelDefinitions>["onError"]>) {
  return (error: unknown): RealtimeError => {
    if (isRealtimeError(error)) return error
    onError(error, { stage: "accept a message" })
    return new RealtimeError("internal", {
      message: "unable to accept the message; the server failed",
      cause: error,
    })
  }
}
