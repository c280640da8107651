import { v4 as uuidv4, v7 as uuidv7 } from "uuid"
import {
  type ChannelDefinitions,
  type ResolvedChannel,
  resolveChannel,
  schemaOf,
  validate,
} from "../channel.ts"
import { isRealtimeError, type OnError, RealtimeError } from "../errors.ts"
import { createReporter, reportFailure } from "../guard.ts"
import type { JsonValue } from "../json.ts"
import type { AppendResult, LogEntry } from "../log/message-log.ts"
import {
  isDeeperThan,
  jsonByteLength,
  type PublishReceipt,
  type RealtimeMessage,
  type Signal,
  type SignalOrigin,
  type User,
} from "../message.ts"
import { firstWithin, maxPageBytes } from "../packing.ts"
import type { ChannelAction } from "../publisher.ts"
import type { StatePage } from "../state.ts"
import { carrying, follow, guardTracing } from "../tracing.ts"
import type { OutgoingMessage, PublishResult } from "../transport.ts"
import { withinLimit } from "../within-limit.ts"
import { createCommitQueue } from "./commit-queue.ts"
import { createDelivery } from "./delivery.ts"
import { createHearing } from "./hearing.ts"
import { shownUser } from "./session.ts"
import { createSharedReads } from "./shared-reads.ts"
import { createSnapshots, type Snapshots } from "./snapshots.ts"
import { stateSchemaOf } from "./state-keys.ts"
import { createStateOutlet } from "./state-outlet.ts"
import { createStateWriter, type StateChange, type StateReceipt } from "./state-writer.ts"
import type { AuthorizeRequest, RealtimeCore, RealtimeOptions } from "./types.ts"

export const defaultMaxPayloadBytes = 32 * 1024
/** Less than a browser waits for the answer to its publish, which this is part of. */
const defaultDeliveryTimeoutMs = 5_000
/** Longer than a log takes that answers at all, with what its providers are given after it. */
const stopTimeoutMs = 10_000
/** More than any document has that people or programs make on purpose. */
const maxPayloadDepth = 100
/** Of one channel's state. */
const defaultMaxKeys = 1_000
/** In base64, with a page of messages, less than hosts of functions let an answer have (Vercel: 4.5 MB). */
const defaultMaxSnapshotBytes = 2 * 1024 * 1024
/** The most messages of one publish, over HTTP or a socket. */
export const maxPublishBatch = 100

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** What `createRealtime` and the handlers share; `RealtimeCore` is the part that gateways see. */
export interface Core extends RealtimeCore {
  /** Validates and appends in server code's own name, then delivers. All or none. */
  publishTrusted(entries: readonly TrustedEntry[]): Promise<PublishReceipt[]>
  /** Rejects with `rate-limited` when there are too many webhooks, forged ones among them. */
  limitWebhook(): Promise<void>
  /** Validates a signal of server code; not authorized, not limited. */
  validateSignal(from: User, channel: string, event: string, payload: unknown): Promise<Signal>
  /** Writes in server code's own name: not authorized, not limited. */
  writeState(change: Omit<StateChange, "accept">): Promise<StateReceipt>
  /** Not authorized here: the caller has done that. Without keys, all. Equal reads at one time are one. */
  readState(channel: string, keys?: readonly string[]): Promise<StatePage>
  /** Not authorized here, not limited. */
  readonly snapshots: Snapshots
  /** To everyone in its channel; rejects when no provider took it. */
  deliverSignal(signal: Signal): Promise<void>
  /**
   * Waits ten seconds at most for what was accepted, and gives up what providers couldn't be given until now.
   */
  stop(): Promise<void>
}

export interface TrustedEntry {
  channel: string
  event: string
  payload: unknown
  id: string
  from: User | null
  /** Where messages are followed: the step that it is taken in by. */
  traceparent?: string | undefined
}

export function createCore<Definitions extends ChannelDefinitions>(
  options: RealtimeOptions<Definitions>,
): Core {
  const {
    log,
    publishers,
    maxPayloadBytes = defaultMaxPayloadBytes,
    deliveryTimeoutMs = defaultDeliveryTimeoutMs,
    waitUntil,
  } = options
  const onError = createReporter(options.onError)
  const tracing = options.tracing && guardTracing(options.tracing, onError)
  // Asked each time: `redefine` may have changed them.
  const resolve = (name: unknown) => resolveChannel(options.channels, name)
  const delivery = createDelivery({ publishers, onError, timeoutMs: deliveryTimeoutMs, waitUntil })
  const share = createSharedReads()
  const outlet = createStateOutlet({ publishers, onError, waitUntil })
  const stateStore = log.state
  const writer =
    stateStore &&
    createStateWriter({
      store: stateStore,
      maxKeys: options.maxStateKeys ?? defaultMaxKeys,
      onCommit: outlet.add,
    })

  const readAfter: Core["readAfter"] = (channel, seq, limit) =>
    share(`${seq} ${limit} ${channel}`, () => log.readAfter(channel, seq, limit))

  const queue = createCommitQueue({
    log,
    onCommit: deliver,
    // Whoever publishes is told each time, and tries again; whoever runs the server, once.
    onOutage: (error) => reportFailure(onError, error, { stage: "append to the log" }),
  })

  /** Hands a committed group to every provider. Nobody's publish fails by it: the log has the messages. */
  async function deliver(entries: readonly LogEntry[], results: readonly AppendResult[]): Promise<void> {
    const messages: RealtimeMessage[] = []
    entries.forEach((entry, index) => {
      const { seq, epoch, at, isDuplicate } = results[index] as AppendResult
      if (!isDuplicate) messages.push({ ...entry, seq, epoch, at })
    })
    if (messages.length > 0) await delivery.deliver(messages)
  }

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
      ...(tracing && carrying(traceparent)),
    }
  }

  /**
   * What each message of one request becomes, in order: its entry, or why not. All are asked about at once,
   * as if those before were let in; behind one that wasn't, anew. Behind one that may be let in later nothing
   * is, or it would stand before it.
   */
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

  function toResult(user: User, result: AppendResult): PublishResult {
    const { id, seq, epoch, at, from, isDuplicate } = result
    if (!isDuplicate || from?.id === user.id) return { receipt: { id, seq, epoch, at } }
    const message = "unable to accept the message; somebody else's message has its id"
    return { error: new RealtimeError("conflict", { message }) }
  }

  /** Publishes that were begun and aren't answered yet. */
  const underWay = new Set<Promise<unknown>>()

  const tracked =
    (accept: RealtimeCore["accept"]): RealtimeCore["accept"] =>
    (...call) => {
      const answered = accept(...call)
      const ended = answered.then(forget, forget)
      function forget() {
        underWay.delete(ended)
      }
      underWay.add(ended)
      return answered
    }

  return {
    async authorize(user, name, action) {
      await requirePermission(user, resolve(name), action)
    },

    async limitRead(user) {
      await options.limit?.({ user, action: "read", count: 1 })
    },

    async limitWebhook() {
      await options.limit?.({ user: null, action: "webhook", count: 1 })
    },

    accept: tracked(async (user, name, messages) => {
      const channel = resolve(name)
      if (messages.length > maxPublishBatch) {
        const message = `unable to accept ${messages.length} messages at once; the limit is ${maxPublishBatch}`
        throw new RealtimeError("invalid-request", { message })
      }
      await options.limit?.({ user, action: "publish", channel: name, count: messages.length })
      return follow(
        tracing,
        "accept",
        () => name,
        messages,
        async (followed): Promise<PublishResult[]> => {
          const prepared = await prepare(user, channel, followed)
          const entries = prepared.filter((entry): entry is LogEntry => !isRealtimeError(entry))
          const results = await queue.add(entries)
          let next = 0
          return prepared.map((entry) =>
            isRealtimeError(entry) ? { error: entry } : toResult(user, results[next++] as AppendResult),
          )
        },
      )
    }),

    publishTrusted: (trusted) =>
      follow(
        tracing,
        "accept",
        ({ channel }) => channel,
        trusted,
        async (followed) => {
          const results = await queue.add(await Promise.all(followed.map(toTrustedEntry)))
          return results.map(({ id, seq, epoch, at }) => ({ id, seq, epoch, at }))
        },
      ),

    async acceptSignal(user, name, event, payload, origin) {
      const channel = resolve(name)
      await options.limit?.({ user, action: "signal", channel: name, count: 1 })
      const accepted = await payloadOf(channel, "signals", event, payload)
      await requirePermission(user, channel, "signal", { event, payload: accepted })
      return toSignal(channel, event, accepted, user, origin)
    },

    async validateSignal(from, name, event, payload) {
      const channel = resolve(name)
      return toSignal(
        channel,
        event,
        await payloadOf(channel, "signals", event, payload),
        shownUser(from, "`from`"),
      )
    },

    async writeState(change) {
      if (!writer) throw noState()
      const schema = stateSchemaOf(resolve(change.channel).definition, change.key)
      return writer.write({
        ...change,
        async accept(value) {
          refuseDepth(value)
          const accepted = withinSize(await validate(schema, value, `"${change.key}"`))
          // As the store will have it: what the caller makes of its object later is another value.
          return JSON.parse(JSON.stringify(accepted)) as JsonValue
        },
      })
    },

    async readState(channel, keys) {
      if (!stateStore) throw noState()
      const asked = keys ? [...keys].sort() : undefined
      const page = await share(`state ${JSON.stringify(asked ?? null)} ${channel}`, () =>
        stateStore.read(channel, asked),
      )
      const entries = firstWithin(page.entries, maxPageBytes, jsonByteLength)
      const rest = page.entries.slice(entries.length).map(({ key }) => key)
      return { ...page, entries, ...(rest.length > 0 && { rest }) }
    },

    snapshots: createSnapshots({
      ...{ log, share, readAfter },
      maxBytes: options.maxSnapshotBytes ?? defaultMaxSnapshotBytes,
    }),

    deliverSignal: (signal) => delivery.signal(signal),

    async relaySignal(signal, from) {
      await delivery.signal(signal, { except: from }).catch((error: unknown) => {
        reportFailure(onError, error, { stage: "relay a signal" })
      })
    },

    hearSignal: createHearing(options, onError),

    async acceptPresence(user, name, data) {
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

    heads: (channels) => log.heads(channels),

    readAfter,

    async idle() {
      await Promise.all(underWay)
      await Promise.all([queue.idle(), writer?.idle()])
      // Whoever waits for an answer has it by then.
      await new Promise((resolve) => setImmediate(resolve))
    },

    async stop() {
      // A log that doesn't answer holds up no end.
      const settled = async () => {
        await Promise.all([queue.idle(), writer?.idle()])
        await outlet.idle()
      }
      await withinLimit(stopTimeoutMs, "commit what was accepted", settled).catch((error: unknown) =>
        onError(error, { stage: "stop" }),
      )
      delivery.stop()
      outlet.stop()
    },
  }
}

const noState = () =>
  new RealtimeError("unsupported", { message: "unable to use the channel's state; the log keeps none" })

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
