import { RealtimeError } from "./errors.ts"
import { toTraceparent } from "./tracing.ts"

/** Who sent a message. Stamped by the server from the authenticated request; a client cannot choose it. */
export interface User {
  /** Stable, unique, at most 128 characters. */
  id: string
  /** A name to show, as it was when the message was sent. */
  name?: string
}

/** A durable message: accepted, logged, sequenced. */
export interface RealtimeMessage<Event extends string = string, Payload = unknown> {
  /** Made by the sender (UUIDv7). Publishing the same id again is answered with the first one's `seq`. */
  id: string
  /** The name of its channel: `room:42`. */
  channel: string
  /** Position in the channel's log: 1, 2, 3 … without holes. */
  seq: number
  /**
   * Names one generation of the log. Another epoch is another log, in which
   * the same `seq` is another message.
   */
  epoch: string
  /** Which of the channel's `messages` it is. */
  event: Event
  /** What was sent, as the event's schema returned it on the server. */
  payload: Payload
  /** The authenticated sender; null when server code sent it in nobody's name. */
  from: User | null
  /** When the log accepted it, in milliseconds since 1970, by the server's clock. */
  at: number
}

/**
 * A message as it travels. `payload` is left out when it would not fit the provider's limit (`bodyless`): the
 * receiver reads it from the log.
 */
export interface WireMessage extends Omit<RealtimeMessage, "payload"> {
  /** As in the log; absent with `bodyless`. */
  payload?: unknown
  /** True when the payload was left out, because it is larger than the provider takes. */
  bodyless?: true
  /**
   * The W3C trace context that its delivery belongs to, where messages are followed. The log doesn't keep it.
   */
  traceparent?: string
}

/** A position in a channel's log: everything up to and including `seq` has been seen. */
export interface Cursor {
  /** The generation of the log that `seq` counts in. */
  epoch: string
  /** The position of the last message that was seen; 0 when none was. */
  seq: number
  /**
   * Tells the message at `seq` from another that stood there before a backup was restored. Absent where that
   * message isn't kept, or isn't known: then only `epoch` and `seq` are compared.
   */
  mark?: string
}

/**
 * The state of a channel's log: `seq` is the newest message (0 when there is none), `first` the oldest kept.
 */
export interface LogHead extends Cursor {
  /** `seq + 1` when nothing is kept. */
  first: number
}

/** Consecutive messages of a channel's log, oldest first, with the head as it was when they were read. */
export interface LogPage {
  /** Where the log ended when the page was read. */
  head: LogHead
  /** Without holes between them; empty when there is nothing on that side. */
  messages: RealtimeMessage[]
  /**
   * Of a page that was read after a position: the mark of the message that stands there, where it is kept.
   */
  mark?: string
}

/** The position of everything that the log holds. */
export const cursorOf = ({ epoch, seq, mark }: LogHead): Cursor => ({
  ...{ epoch, seq },
  ...(mark !== undefined && { mark }),
})

/**
 * The mark of a message's place. The log accepts an id at one time; put back to an earlier
 * state and given it again, at another.
 */
export const markOf = ({ id, at }: Pick<RealtimeMessage, "id" | "at">): string => `${id}@${at}`

/** Whether they are known to be marks of different messages. */
export const areOfDifferentMessages = (one: string | undefined, other: string | undefined): boolean =>
  one !== undefined && other !== undefined && one !== other

/** What `publish` resolves with: the message is in the log. */
export interface PublishReceipt {
  /** The id of the message, the one given or the one made for it. */
  id: string
  /** Its position in the channel's log. */
  seq: number
  /** The generation of the log that `seq` counts in. */
  epoch: string
  /** When the log accepted it, in milliseconds since 1970, by the server's clock. */
  at: number
}

/**
 * Which of a person's pages sent a signal, and how many of the channel's it had
 * sent by then, this one included.
 */
export interface SignalOrigin {
  /**
   * At most 64 characters, made by the page at random: two of one person are told apart by it, nothing else.
   */
  page: string
  /** The number of the signal among those of the page in this channel, from 1 on. */
  n: number
}

/**
 * A short-lived event that is never logged: typing, cursors. At most once; of one
 * page and event the newest counts.
 */
export interface Signal<Event extends string = string, Payload = unknown> {
  /** By the server or the provider: the same delivered twice is one. */
  id: string
  /** The name of its channel: `room:42`. */
  channel: string
  /** Which of the channel's `signals` it is. */
  event: Event
  /** What was sent, as the event's schema returned it. */
  payload: Payload
  /** Verified by the provider or the server, never by the sender's word. */
  from: User
  /** When the server or the provider took it, by its clock, in milliseconds since 1970. */
  at: number
  /** Names that clock: every process has its own, and each provider that dates signals itself. */
  clock?: string
  /** Absent when server code sent it. */
  origin?: SignalOrigin
  /** The sender's next of this event makes it worthless: the channel's definition says so, by `latest`. */
  isLatest?: true
}

/** A person in a channel, however many tabs they have open. */
export interface Member<Data = unknown> {
  /** Who it is. */
  user: User
  /** What they say of themselves, as the channel's `presence` schema returned it. */
  data: Data
}

/** Who is there. Beyond a provider's member limit `members` is null and only the count is known. */
export interface PresenceSnapshot<Data = unknown> {
  /** How many people, not tabs. */
  count: number
  /** Each person once; null when there are more than the provider lists. */
  members: Member<Data>[] | null
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null
/** A `seq`, or the 0 before the first. */
export const isPosition = (value: unknown): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0

/** Reads a user that came from outside, of `id` and `name` alone; null for what isn't one. Never throws. */
export function parseUser(value: unknown): User | null {
  if (!isObject(value) || typeof value.id !== "string" || value.id === "") return null
  return typeof value.name === "string" ? { id: value.id, name: value.name } : { id: value.id }
}

/** Reads what a provider delivered; null when it isn't one of our messages. Never throws. */
export function parseWireMessage(value: unknown): WireMessage | null {
  if (!isObject(value)) return null
  const { id, channel, seq, epoch, event, from, at, payload, bodyless } = value
  const traceparent = toTraceparent(value.traceparent)
  if (typeof id !== "string" || typeof channel !== "string" || typeof epoch !== "string") return null
  if (typeof event !== "string" || !isPosition(seq) || seq === 0 || typeof at !== "number") return null
  const sender = from === null ? null : parseUser(from)
  if (from !== null && sender === null) return null
  // One object, filled: this happens for each message that anybody receives, and
  // copies are most of what it costs.
  const message: WireMessage = { id, channel, seq, epoch, event, from: sender, at }
  if (traceparent !== undefined) message.traceparent = traceparent
  if (bodyless === true) message.bodyless = true
  else if (payload === undefined) return null
  else message.payload = payload
  return message
}

/** The messages among what a provider delivered at once; what isn't one of ours is dropped. Never throws. */
export function parseWireMessages(value: unknown): WireMessage[] {
  return Array.isArray(value) ? value.map(parseWireMessage).filter((message) => message !== null) : []
}

/** Reads a signal that came over a network; null when it isn't one. Never throws. */
export function parseSignal(value: unknown): Signal | null {
  if (!isObject(value)) return null
  const { id, channel, event, payload, at } = value
  const from = parseUser(value.from)
  if (typeof id !== "string" || typeof channel !== "string" || typeof event !== "string") return null
  if (!from || typeof at !== "number") return null
  const origin = parseSignalOrigin(value.origin)
  const clock = typeof value.clock === "string" && value.clock.length <= 64 ? value.clock : undefined
  return {
    ...{ id, channel, event, payload, from, at },
    ...(clock !== undefined && { clock }),
    ...(origin && { origin }),
    ...(value.isLatest === true && { isLatest: true }),
  }
}

/** Reads what a page says of itself; undefined when it says nothing of use. Never throws. */
export function parseSignalOrigin(value: unknown): SignalOrigin | undefined {
  if (!isObject(value)) return undefined
  const { page, n } = value
  if (typeof page !== "string" || page.length > 64 || !isPosition(n)) return undefined
  return { page, n }
}

export function parseLogHead(value: unknown): LogHead | null {
  if (!isObject(value) || typeof value.epoch !== "string") return null
  if (!isPosition(value.seq) || !isPosition(value.first)) return null
  return { epoch: value.epoch, seq: value.seq, first: value.first, ...markIn(value) }
}

const markIn = ({ mark }: Record<string, unknown>): { mark?: string } =>
  typeof mark === "string" ? { mark } : {}

/**
 * Reads a page of the log that came over the network. Throws `invalid-request` when it
 * isn't one; the next answer may be.
 */
export function parseLogPage(value: unknown): LogPage {
  const head = isObject(value) ? parseLogHead(value.head) : null
  const messages =
    isObject(value) && Array.isArray(value.messages) ? value.messages.map(parseWireMessage) : [null]
  if (!head || !messages.every((message) => message && !message.bodyless)) {
    throw new RealtimeError("invalid-request", {
      message: "unable to read a page of the log; it is malformed",
      retryable: true,
    })
  }
  return { head, messages: messages as RealtimeMessage[], ...markIn(value as Record<string, unknown>) }
}

/**
 * Whether some of it lies more levels below it than that. Walks without recursion: what is to be refused may
 * be deeper than any stack, and would take the commit that it is part of down with it.
 */
export function isDeeperThan(value: unknown, maxDepth: number): boolean {
  const isObject = (item: unknown) => typeof item === "object" && item !== null
  // Server code may hand in an object that leads back to itself.
  const seen = new Set<unknown>()
  let level: unknown[] = [value].filter(isObject)
  for (let depth = 1; level.length > 0; depth += 1) {
    if (depth > maxDepth) return true
    level = level.flatMap((item) => {
      if (seen.has(item)) return []
      seen.add(item)
      return Object.values(item as object).filter(isObject)
    })
  }
  return false
}

const encoder = new TextEncoder()
const beyondAscii = /[\u0080-\uffff]/

/** The bytes of a value as JSON in UTF-8, as limits count them. */
export function jsonByteLength(value: unknown): number {
  const json = JSON.stringify(value) ?? ""
  return beyondAscii.test(json) ? encoder.encode(json).byteLength : json.length
}
