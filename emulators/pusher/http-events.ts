import type { AppHandle, TriggeredEvent } from "./app.ts"
import { channelInfo, parseInfo } from "./channel-info.ts"
import { channelType, isValidChannelName, serverToUserId } from "./channel-names.ts"
import { eventTooLarge } from "./client-events.ts"
import { HttpError } from "./http.ts"
import { isObject, type JsonObject } from "./json.ts"
import { byteLength } from "./limits.ts"

/** `POST /apps/{id}/events` (pusher/README.md §10.2): one event on one or more channels. */
export function postEvents(app: AppHandle, parameters: JsonObject): JsonObject {
  const limit = app.settings.limits.channelsPerTrigger
  const channels = Array.isArray(parameters.channels) ? parameters.channels : [parameters.channel]
  if (channels.length === 0) throw new HttpError(400, "Missing required parameter: channels")
  if (channels.length > limit) throw new HttpError(400, `Cannot trigger on more than ${limit} channels`)
  const events = channels.map((channel) => readEvent(app, { ...parameters, channel }))

  const info = readString(parameters, "info", false)
  const wanted = parseInfo(info)
  for (const event of events) app.trigger(event)
  if (info === undefined) return {}
  return {
    channels: Object.fromEntries(events.map(({ channel }) => [channel, channelInfo(app, channel, wanted)])),
  }
}

/** `POST /apps/{id}/batch_events`: several events, accepted or refused together. */
export function postBatchEvents(app: AppHandle, { batch }: JsonObject): JsonObject {
  const limit = app.settings.limits.eventsPerBatch
  if (!Array.isArray(batch)) throw new HttpError(400, "Expected batch parameter to be an array")
  if (batch.length > limit) throw new HttpError(400, `Batch too large (${batch.length} > ${limit})`)

  const entries = batch.map((entry) => {
    if (!isObject(entry)) throw new HttpError(400, "Expected each event of the batch to be an object")
    const info = readString(entry, "info", false)
    return { event: readEvent(app, entry), info, wanted: parseInfo(info) }
  })
  for (const { event } of entries) app.trigger(event)
  if (entries.every(({ info }) => info === undefined)) return {}
  return { batch: entries.map(({ event, wanted }) => channelInfo(app, event.channel, wanted)) }
}

/** `POST /apps/{id}/channels/{name}/events`, deprecated: the body is the data as it is, the rest is in the query. */
export function postChannelEvent(
  app: AppHandle,
  channel: string,
  query: ReadonlyMap<string, string>,
  data: string,
): void {
  app.trigger(readEvent(app, { name: query.get("name"), socket_id: query.get("socket_id"), channel, data }))
}

/** What they have in common, and the limits of §10.3. */
function readEvent(app: AppHandle, parameters: JsonObject): TriggeredEvent {
  const { limits } = app.settings
  const name = readString(parameters, "name", true)
  const data = readString(parameters, "data", true)
  const channel = readString(parameters, "channel", true)
  const socket_id = readString(parameters, "socket_id", false)

  if (name === "") throw new HttpError(400, "Event name must not be empty")
  if (name.length > limits.eventNameLength)
    throw new HttpError(400, `Event name too long (${name.length} > ${limits.eventNameLength} characters)`)
  if (name.startsWith("pusher:") || name.startsWith("pusher_internal:"))
    throw new HttpError(400, `Event name is reserved: ${name}`)
  // This one name is outside of the rules (§7).
  const isChannel =
    channelType(channel) === "server-to-user"
      ? serverToUserId(channel) !== ""
      : isValidChannelName(channel, limits)
  if (!isChannel) throw new HttpError(400, `Invalid channel name: ${channel}`)
  if (socket_id !== undefined && !/^\d+\.\d+$/.test(socket_id))
    throw new HttpError(400, `Invalid socket id: ${socket_id}`)
  if (byteLength(data) > limits.eventDataBytes) throw new HttpError(413, eventTooLarge(limits.eventDataBytes))
  return { name, data, channel, socket_id }
}

function readString(parameters: JsonObject, name: string, isRequired: true): string
function readString(parameters: JsonObject, name: string, isRequired: false): string | undefined
function readString(parameters: JsonObject, name: string, isRequired: boolean): string | undefined {
  const value = parameters[name]
  if (typeof value === "string") return value
  if (!isRequired && (value === undefined || value === null)) return undefined
  throw new HttpError(400, `Expected ${name} parameter to be a string`)
}
