import { READ_PRESENCE } from "./capability.ts"
import { parseChannelName } from "./channel-name.ts"
import { ablyError, toAblyError } from "./errors.ts"
import type { Route, RouteContext } from "./model.ts"
import { publish } from "./publish.ts"
import { assertPermitted } from "./publisher.ts"
import { BatchFailure } from "./route.ts"
import { isRecord, readMessages } from "./wire.ts"

/** ably/README.md §2.2: many channels in one request; each fails alone. */
export const batchRoutes: Route[] = [
  {
    method: "POST",
    path: "/messages",
    handle(context) {
      const body = context.readBody()
      const specs = (Array.isArray(body) ? body : [body]).map(readSpec)
      assertBatchLimits(context, specs)
      const results = specs.map((spec) => publishSpec(context, spec))
      if (context.version < 3) return answerVersion2(results.flatMap((result) => result.results))
      return { status: 201, body: Array.isArray(body) ? results : results[0] }
    },
  },
  {
    method: "GET",
    path: "/presence",
    handle(context) {
      const channels = (context.query.get("channels") ?? "").split(",").filter(Boolean)
      if (channels.length === 0) throw ablyError(40003, "channels is a comma-separated list")
      if (channels.length > context.app().limits.maxChannelsPerBatch)
        throw ablyError(40003, "too many channels")
      const results = channels.map((channel) =>
        attempt(channel, () => {
          const name = parseChannelName(channel)
          assertPermitted(context.credentials(), name, ...READ_PRESENCE)
          return { presence: context.app().channel(name).presence.list() }
        }),
      )
      if (context.version < 3) return answerVersion2(results)
      return { body: count(results) }
    },
  },
]

interface BatchSpec {
  channels: string[]
  messages: unknown
}

function readSpec(spec: unknown): BatchSpec {
  if (!isRecord(spec)) throw ablyError(40001, "a batch is a list of {channels, messages}")
  const channels = Array.isArray(spec.channels) ? spec.channels : [spec.channels]
  if (channels.length === 0 || !channels.every((channel) => typeof channel === "string"))
    throw ablyError(40003, "channels is a list of names")
  return { channels, messages: spec.messages ?? [] }
}

function assertBatchLimits(context: RouteContext, specs: BatchSpec[]) {
  const { maxChannelsPerBatch, maxMessagesPerPublish } = context.app().limits
  const channels = specs.reduce((total, spec) => total + spec.channels.length, 0)
  if (channels > maxChannelsPerBatch)
    throw ablyError(40003, `a batch names at most ${maxChannelsPerBatch} channels`)
  const messages = specs.reduce((total, spec) => {
    const each = Array.isArray(spec.messages) ? spec.messages.length : 1
    return total + spec.channels.length * each
  }, 0)
  if (messages > maxMessagesPerPublish)
    throw ablyError(40003, `a batch has at most ${maxMessagesPerPublish} messages`)
}

function publishSpec(context: RouteContext, { channels, messages }: BatchSpec) {
  return count(
    channels.map((channel) =>
      attempt(channel, () => {
        const { messageId, serials } = publish(context.publisher(), channel, readMessages(messages))
        return { messageId, serials }
      }),
    ),
  )
}

function attempt<T extends object>(channel: string, operation: () => T) {
  try {
    return { channel, ...operation() }
  } catch (error) {
    return { channel, error: toAblyError(error).toErrorInfo() }
  }
}

function count<T extends object>(results: T[]) {
  const failureCount = results.filter((result) => "error" in result).length
  return { successCount: results.length - failureCount, failureCount, results }
}

/** Version 2: a flat list, or 400 with `batchResponse` if any failed. */
function answerVersion2(results: object[]) {
  if (!results.some((result) => "error" in result)) return { status: 201, body: results }
  throw new BatchFailure(results)
}
