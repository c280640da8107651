import { RealtimeError } from "./errors.ts"

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
  channel: string
  /** Position in the channel's log: 1, 2, 3 … without holes. */
  seq: number
  /** Names the log's life. A different epoch is a different log: its `seq` mean something else. */
  epoch: string
  event: Event
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
  payload?: unknown
  bodyless?: true
}

/** A position in a channel's log: everything up to and including `seq` has been seen. */
export interface Cursor {
  epoch: string
  seq: number
}

/** The state of a channel's log: `seq` is the newest message (0 when there is none), `first` the oldest kept. */
export interface LogHead extends Cursor {
  /** `seq + 1` when nothing is kept. */
  first: number
}

/** Consecutive messages of a channel's log, oldest first, with the head as it was when they were read. */
export interface LogPage {
  head: LogHead
  messages: RealtimeMessage[]
}

/** What `publish` resolves with: the message is in the log. */
export interface PublishReceipt {
  id: string
  seq: number
  epoch: string
  at: number
}

/** A short-lived event that is never logged: typing, cursors. At most once, unordered. */
export interface Signal<Event extends string = string, Payload = unknown> {
  channel: string
  event: Event
  payload: Payload
  /** Verified by the provider or the server, never by the sender's word. */
  from: User
}

/** A person in a channel, however many tabs they have open. */
export interface Member<Data = unknown> {
  user: User
  data: Data
}

/** Who is there. Beyond a provider's member limit `members` is null and only the count is known. */
export interface PresenceSnapshot<Data = unknown> {
  count: number
  members: Member<Data>[] | null
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null
const isPosition = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

export function parseUser(value: unknown): User | null {
  if (!isObject(value) || typeof value.id !== "string" || value.id === "") return null
  return typeof value.name === "string" ? { id: value.id, name: value.name } : { id: value.id }
}

/** Reads what a provider delivered; null when it isn't one of our messages. Never throws. */
export function parseWireMessage(value: unknown): WireMessage | null {
  if (!isObject(value)) return null
  const { id, channel, seq, epoch, event, from, at, payload, bodyless } = value
  if (typeof id !== "string" || typeof channel !== "string" || typeof epoch !== "string") return null
  if (typeof event !== "string" || !isPosition(seq) || seq === 0 || typeof at !== "number") return null
  const sender = from === null ? null : parseUser(from)
  if (from !== null && sender === null) return null
  const envelope = { id, channel, seq, epoch, event, from: sender, at }
  if (bodyless === true) return { ...envelope, bodyless }
  return payload === undefined ? null : { ...envelope, payload }
}

export function parseLogHead(value: unknown): LogHead | null {
  if (!isObject(value) || typeof value.epoch !== "string") return null
  if (!isPosition(value.seq) || !isPosition(value.first)) return null
  return { epoch: value.epoch, seq: value.seq, first: value.first }
}

/** Reads a page of the log that came over the network. Throws `invalid-request` when it isn't one. */
export function parseLogPage(value: unknown): LogPage {
  const head = isObject(value) ? parseLogHead(value.head) : null
  const messages =
    isObject(value) && Array.isArray(value.messages) ? value.messages.map(parseWireMessage) : [null]
  if (!head || !messages.every((message) => message && !message.bodyless)) {
    throw new RealtimeError("invalid-request", {
      message: "unable to read a page of the log; it is malformed",
    })
  }
  return { head, messages: messages as RealtimeMessage[] }
}

/** The bytes of a value as JSON in UTF-8, as limits count them. */
export function jsonByteLength(value: unknown): number {
  return new TextEncoder().encode(JSON.stringify(value) ?? "").byteLength
}
