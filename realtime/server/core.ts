import type { ChannelDefinitions } from "../channel.ts"
import { isRealtimeError, RealtimeError } from "../errors.ts"
import { createReporter, reportFailure } from "../guard.ts"
import type { AppendResult, LogEntry } from "../log/message-log.ts"
import {
  jsonByteLength,
  type PublishReceipt,
  type RealtimeMessage,
  type Signal,
  type User,
} from "../message.ts"
import { firstWithin, maxPageBytes } from "../packing.ts"
import type { StatePage } from "../state.ts"
import { follow, guardTracing } from "../tracing.ts"
import type { PublishResult } from "../transport.ts"
import { withinLimit } from "../within-limit.ts"
import { createAcceptance, type TrustedEntry } from "./acceptance.ts"
import { createCommitQueue } from "./commit-queue.ts"
import { createDelivery } from "./delivery.ts"
import { createHearing } from "./hearing.ts"
import { createSharedReads } from "./shared-reads.ts"
import { createSnapshots, type Snapshots } from "./snapshots.ts"
import { createStateOutlet } from "./state-outlet.ts"
import { createStateWriter, type StateChange, type StateReceipt } from "./state-writer.ts"
import type { RealtimeCore, RealtimeOptions } from "./types.ts"

/** Less than a browser waits for the answer to its publish, which this is part of. */
const defaultDeliveryTimeoutMs = 5_000
/** Longer than a log takes that answers at all, with what its providers are given after it. */
const stopTimeoutMs = 10_000
/** Of one channel's state. */
const defaultMaxKeys = 1_000
/** In base64, with a page of messages, less than hosts of functions let an answer have (Vercel: 4.5 MB). */
const defaultMaxSnapshotBytes = 2 * 1024 * 1024
/** The most messages of one publish, over HTTP or a socket. */
export const maxPublishBatch = 100

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

export function createCore<Definitions extends ChannelDefinitions>(
  options: RealtimeOptions<Definitions>,
): Core {
  const { log, publishers, deliveryTimeoutMs = defaultDeliveryTimeoutMs, waitUntil } = options
  const onError = createReporter(options.onError)
  const tracing = options.tracing && guardTracing(options.tracing, onError)
  const acceptance = createAcceptance(options, { isTracing: tracing !== undefined, onError })
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
    authorize: acceptance.permit,

    async limitRead(user) {
      await options.limit?.({ user, action: "read", count: 1 })
    },

    async limitWebhook() {
      await options.limit?.({ user: null, action: "webhook", count: 1 })
    },

    accept: tracked(async (user, name, messages) => {
      const channel = acceptance.resolve(name)
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
          const prepared = await acceptance.messages(user, channel, followed)
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
          const results = await queue.add(await Promise.all(followed.map(acceptance.trusted)))
          return results.map(({ id, seq, epoch, at }) => ({ id, seq, epoch, at }))
        },
      ),

    async acceptSignal(user, name, event, payload, origin) {
      const channel = acceptance.resolve(name)
      await options.limit?.({ user, action: "signal", channel: name, count: 1 })
      return acceptance.signal(user, channel, event, payload, origin)
    },

    validateSignal: acceptance.trustedSignal,

    async writeState(change) {
      if (!writer) throw noState()
      return writer.write({ ...change, accept: acceptance.stateValue(change.channel, change.key) })
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

    acceptPresence: acceptance.presence,

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
