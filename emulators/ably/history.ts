import { ablyError } from "./errors.ts"
import type { Channel } from "./model.ts"
import type { Message, PresenceMessage } from "./protocol.ts"

/** ably/README.md §2.2: bounds of a history request. `from_serial` is what `untilAttach` becomes (§8). */
interface Bounds {
  start: number
  end: number
  isForwards: boolean
  fromSerial?: string
}

/** §8: each message in its latest version, at its original place. */
export function messageHistory(channel: Channel, query: URLSearchParams): Message[] {
  const items = channel.messages.all().map(({ channelSerial, timestamp, latest }) => ({
    channelSerial,
    timestamp,
    value: latest,
  }))
  return within(items, readBounds(query))
}

export function presenceHistory(channel: Channel, query: URLSearchParams): PresenceMessage[] {
  const items = channel.presence.history().map(({ channelSerial, message }) => ({
    channelSerial,
    timestamp: message.timestamp,
    value: message,
  }))
  return within(items, readBounds(query))
}

function within<T>(items: { channelSerial: string; timestamp: number; value: T }[], bounds: Bounds): T[] {
  const { start, end, isForwards, fromSerial } = bounds
  const found = items
    .filter(({ timestamp }) => timestamp >= start && timestamp <= end)
    // Up to and including the attach point.
    .filter(({ channelSerial }) => fromSerial === undefined || channelSerial <= fromSerial)
    .map(({ value }) => value)
  return isForwards ? found : found.reverse()
}

function readBounds(query: URLSearchParams): Bounds {
  const direction = query.get("direction") ?? "backwards"
  if (direction !== "backwards" && direction !== "forwards")
    throw ablyError(40003, "direction is backwards or forwards")
  const start = readTime(query, "start", 0)
  const end = readTime(query, "end", Number.POSITIVE_INFINITY)
  if (start > end) throw ablyError(40003, "start lies before end")
  const fromSerial = query.get("from_serial") ?? query.get("fromSerial") ?? undefined
  return {
    start,
    end,
    isForwards: direction === "forwards",
    fromSerial,
  }
}

function readTime(query: URLSearchParams, name: string, otherwise: number): number {
  const text = query.get(name)
  if (text === null || text === "") return otherwise
  const time = Number(text)
  if (!Number.isFinite(time)) throw ablyError(40003, `${name} is in milliseconds`)
  return time
}
