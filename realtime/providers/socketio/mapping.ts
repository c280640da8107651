import { fromWireError, RealtimeError, type WireError } from "../../errors.ts"
import type { JsonValue } from "../../json.ts"
import {
  type Cursor,
  type LogPage,
  type Member,
  type PresenceSnapshot,
  parseLogPage,
  parseUser,
  type Signal,
  type SignalOrigin,
  type WireMessage,
} from "../../message.ts"
import type { StatePatch, WatchedState } from "../../state.ts"
import type { OutgoingMessage, TransportStatus } from "../../transport.ts"

/** The Socket.IO namespace path and the events on it: what the browser half and the gateway agree on. */
export const defaultSocketPath = "/socket.io"
export const provider = "socketio"

/** What every request is answered with, through Socket.IO's acknowledgement. */
export type Answer<Value = Record<never, never>> = ({ ok: true } & Value) | { ok: false; error: WireError }

type Ack<Value = Record<never, never>> = (answer: Answer<Value>) => void

/** Browser → gateway. Each is acknowledged. */
export interface ClientEvents {
  subscribe(channel: string, cursor: Cursor | null, ack: Ack<{ page?: LogPage }>): void
  unsubscribe(channel: string, ack: Ack): void
  publish(channel: string, messages: readonly OutgoingMessage[], ack: Ack<{ results: unknown[] }>): void
  signal(channel: string, event: string, payload: JsonValue, origin: SignalOrigin, ack: Ack): void
  watch(channel: string, ack: Ack): void
  enter(channel: string, data: JsonValue, ack: Ack): void
  leave(channel: string, ack: Ack): void
  /** In place of the keys that were watched before; none: not any more. */
  state(channel: string, wanted: WatchedState, ack: Ack): void
}

/** Gateway → browser. */
export interface ServerEvents {
  /** Messages of one channel, in order: what was committed together. */
  messages(messages: readonly WireMessage[]): void
  signal(...signals: Signal[]): void
  presence(channel: string, change: PresenceChange): void
  /** What changed of the keys that this socket watches in a channel. */
  state(channel: string, patches: readonly StatePatch[]): void
  /** The gateway has put this socket out of the channel; it may ask again. */
  revoked(channel: string): void
}

/** A change of who is there. `members` replaces everything; null: only the count is known. */
export interface PresenceChange {
  count: number
  members?: Member[] | null
  set?: Member
  remove?: string
}

/**
 * A channel's room for messages and signals, and that of the watchers of its
 * presence. Never a socket's own id.
 */
export const channelRoom = (channel: string) => `channel:${channel}`
export const isChannelRoom = (room: string) => room.startsWith("channel:")
export const fromChannelRoom = (room: string) => room.slice("channel:".length)
export const presenceRoom = (channel: string) => `presence:${channel}`

function fromMember(value: unknown): Member | null {
  const { user, data } = (value ?? {}) as { user?: unknown; data?: unknown }
  const parsed = parseUser(user)
  return parsed ? { user: parsed, data } : null
}

/** What a presence change makes of who was there. Unreadable changes leave it as it was. */
export function applyPresenceChange(
  before: PresenceSnapshot | null,
  value: unknown,
): PresenceSnapshot | null {
  const { count, members, set, remove } = (value ?? {}) as Partial<PresenceChange>
  if (!Number.isSafeInteger(count) || (count as number) < 0) return before
  if (members === null) return { count: count as number, members: null }
  if (members) {
    if (!Array.isArray(members)) return before
    return { count: count as number, members: members.map(fromMember).filter((member) => member !== null) }
  }
  if (!before?.members) return before && { ...before, count: count as number }
  const changed = set === undefined ? null : fromMember(set)
  const gone = changed?.user.id ?? remove
  const rest = before.members.filter(({ user }) => user.id !== gone)
  return { count: count as number, members: changed ? [...rest, changed] : rest }
}

/** An acknowledgement's content, or the error it carries. */
export function fromAnswer(value: unknown): Record<string, unknown> {
  const answer = (value ?? {}) as Partial<Answer> & { error?: unknown }
  if (answer.ok === true) return answer as Record<string, unknown>
  throw fromWireError(answer.error, provider)
}

/** What a subscription's acknowledgement says was missed, if it says. */
export function fromSubscribeAnswer({ page }: Record<string, unknown>): LogPage | undefined {
  return page === undefined ? undefined : parseLogPage(page)
}

/**
 * `connect_error`, as our error. The gateway's refusals carry a wire error in `data`; anything else is the
 * network or a server that isn't there, which passes.
 */
export function fromConnectError(value: unknown): RealtimeError {
  const { data, message } = (value ?? {}) as { data?: unknown; message?: unknown }
  if (typeof data === "object" && data !== null && "code" in data) return fromWireError(data, provider)
  const reason = typeof message === "string" ? message : "unknown"
  return new RealtimeError("provider-unavailable", {
    provider,
    message: `unable to connect; ${reason}`,
    cause: value,
  })
}

/**
 * The reason of `disconnect`, as our state. Socket.IO reconnects by itself after all but its first two, where
 * a side ended the connection on purpose.
 */
export function fromDisconnectReason(reason: string): TransportStatus {
  const error = new RealtimeError("not-connected", {
    provider,
    message: `the connection was lost; ${reason}`,
  })
  return reason === "io client disconnect" ? { state: "closed" } : { state: "reconnecting", error }
}
