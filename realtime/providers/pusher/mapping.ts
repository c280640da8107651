import { isRealtimeError, RealtimeError, type RealtimeErrorCode } from "../../errors.ts"
import {
  type Member,
  type PresenceSnapshot,
  parseSignal,
  parseUser,
  parseWireMessages,
  type Signal,
  type User,
  type WireMessage,
} from "../../message.ts"
import type { ProviderEvent } from "../../publisher.ts"
import type { ConnectionState } from "../../transport.ts"
import { sha256 } from "./sha256.ts"

export const provider = "pusher"

/**
 * The events that the server triggers. A client event's name begins with
 * `client-`, so nobody can pretend to be it.
 */
export const messagesEvent = "messages"
export const signalEvent = "signal"
export const stateEvent = "state"

const utf8 = new TextEncoder()
/** Pusher's limit on a channel's name, less the longest prefix. */
const maxNameLength = 164 - "presence-".length

/**
 * Our name in Pusher's alphabet, `A-Z a-z 0-9 _ - = @ , . ;`. ";" stands for ":"; every other byte that
 * isn't allowed, and "=" and ";" themselves, become "=" and two hexadecimal digits, as does the first letter
 * of a word that would make another kind of channel of it. What gets too long becomes "=d." and a digest,
 * which no encoded name begins with.
 */
export function toPusherName(channel: string): string {
  const encoded = channel.replace(/^[ec](?=ncrypted-|ache-)|[^A-Za-z0-9_\-@,.]/gu, (character) => {
    if (character === ":") return ";"
    const bytes = utf8.encode(character)
    return Array.from(bytes, (byte) => `=${byte.toString(16).toUpperCase().padStart(2, "0")}`).join("")
  })
  if (encoded.length <= maxNameLength) return encoded
  return `=d.${sha256(utf8.encode(channel))}`
}

/** Our name, read back; null for a digest, and for what isn't one of ours. */
export function fromPusherName(name: string): string | null {
  if (name.startsWith("=d.")) return null
  try {
    const percentEncoded = name.replaceAll("%", "%25").replaceAll(";", ":").replaceAll("=", "%")
    const channel = decodeURIComponent(percentEncoded)
    return toPusherName(channel) === name ? channel : null
  } catch {
    // Some other app's name that is no UTF-8 once decoded.
    return null
  }
}

export const messagesChannel = (channel: string) => `private-${toPusherName(channel)}`
export const presenceChannel = (channel: string) => `presence-${toPusherName(channel)}`

/** A person's id to Pusher, which makes a channel's name of it. */
export const toPusherUserId = (userId: string) => toPusherName(userId)

/** The messages of one event. What isn't ours, or belongs to another channel, is dropped. */
export function fromMessagesEvent(channel: string, data: unknown): WireMessage[] {
  return parseWireMessages(data).filter((message) => message.channel === channel)
}

export function fromSignalEvent(channel: string, data: unknown): Signal | null {
  const signal = parseSignal(data)
  return signal?.channel === channel ? signal : null
}

/**
 * A connection's id as a member of a presence channel: whether it entered or only watches, its
 * socket, its person. To Pusher each connection is a member, since of one member it would keep
 * the first connection's data only.
 */
export function toMemberId(user: User, socketId: string, isVisible: boolean): string {
  const id = `${isVisible ? "entered" : "watching"}.${socketId}.${user.id}`
  if (id.length <= 128) return id
  const message = "unable to enter; the user's id is too long for a Pusher member"
  throw new RealtimeError("message-too-large", { provider, message })
}

/** Null for who only watches, and for what isn't one of ours. */
function fromMemberId(id: unknown): { connection: string; userId: string } | null {
  const [, connection, userId] = (typeof id === "string" && /^entered\.(\d+\.\d+)\.(.+)$/su.exec(id)) || []
  return connection && userId ? { connection, userId } : null
}

/**
 * What a webhook tells. Whether somebody listens is told of the messages' channel, who is visible of the
 * presence channel; the rest isn't ours to count. Pusher dates the whole webhook, not each event.
 */
export function fromWebhook(body: unknown): ProviderEvent[] {
  const { time_ms: at, events } = (body ?? {}) as { time_ms?: unknown; events?: unknown }
  if (typeof at !== "number" || !Array.isArray(events)) return []
  return events.flatMap((value: unknown): ProviderEvent[] => {
    const { name, channel: given, user_id } = (value ?? {}) as Record<string, unknown>
    const [, type, encoded] = (typeof given === "string" && /^(private|presence)-(.+)$/.exec(given)) || []
    const channel = encoded === undefined ? null : fromPusherName(encoded)
    if (channel === null) return []
    if (type === "private") {
      if (name === "channel_occupied") return [{ kind: "channel-occupied", channel, at }]
      if (name === "channel_vacated") return [{ kind: "channel-vacated", channel, at }]
      return []
    }
    const visible = fromMemberId(user_id)
    if (visible && name === "member_added") return [{ kind: "member-joined", channel, at, ...visible }]
    if (visible && name === "member_removed") return [{ kind: "member-left", channel, at, ...visible }]
    return []
  })
}

/** The people among a presence channel's members, as far as their ids tell: no names, no data. */
export function fromMemberIds(ids: readonly unknown[]): PresenceSnapshot {
  const people = new Map<string, Member>()
  for (const value of ids) {
    const visible = fromMemberId(value)
    if (visible) people.set(visible.userId, { user: { id: visible.userId }, data: null })
  }
  return { count: people.size, members: [...people.values()] }
}

/** What the server signs about one connection in a presence channel. */
export interface PresenceInfo {
  user: User
  /** Null: only watching. */
  data: { value: unknown } | null
  /** When it was signed, to tell which of a person's connections is the latest. */
  at: number
}

function toPresenceInfo(value: unknown): PresenceInfo | null {
  const { user, data, at } = (value ?? {}) as Partial<PresenceInfo>
  const parsed = parseUser(user)
  if (!parsed || typeof at !== "number") return null
  return { user: parsed, data: typeof data === "object" && data !== null ? data : null, at }
}

/** Pusher's members, which are connections, as people: there from the first that entered to the last. */
export function fromMembers(infos: readonly unknown[]): PresenceSnapshot {
  const latest = new Map<string, PresenceInfo>()
  for (const value of infos) {
    const info = toPresenceInfo(value)
    if (!info?.data) continue
    const known = latest.get(info.user.id)
    if (!known || known.at <= info.at) latest.set(info.user.id, info)
  }
  const members: Member[] = [...latest.values()].map(({ user, data }) => ({
    user,
    data: data?.value ?? null,
  }))
  return { count: members.length, members }
}

/**
 * pusher-js' states by what they mean: `unavailable` is still retrying, every 15 s; `failed` says that the
 * browser has no transport; `disconnected` is an end, by us or, after a code of 4000–4099, by the service.
 */
export function fromPusherState(state: string, wasConnected: boolean): ConnectionState {
  switch (state) {
    case "connected":
      return state
    case "unavailable":
      return "suspended"
    case "failed":
    case "disconnected":
      return "failed"
    default:
      return wasConnected ? "reconnecting" : "connecting"
  }
}

/**
 * Pusher's close and error codes that don't mean what the rest of their hundred does:
 * https://pusher.com/docs/channels/library_auth_reference/pusher-websockets-protocol
 */
const codeByError: Record<number, RealtimeErrorCode> = {
  4004: "rate-limited",
  4009: "unauthorized",
  4301: "rate-limited",
  4302: "rate-limited",
}

const connectionHints: Record<number, string> = {
  4000: "check PUSHER_TLS",
  4001: "check PUSHER_KEY and PUSHER_CLUSTER",
  4003: "the app is disabled",
}

/** A code has the meaning of its hundred: pusher-js gives up after 4000–4099 and from 4300 on. */
function meaningOf(code = 0): RealtimeErrorCode {
  const isRefusal = (code >= 4000 && code < 4100) || (code >= 4300 && code < 5000)
  return codeByError[code] ?? (isRefusal ? "invalid-config" : "provider-unavailable")
}

/** What pusher-js emits as `error` on its connection: the code may stand at several depths. */
export function fromConnectionError(value: unknown): RealtimeError {
  const { error, data } = (value ?? {}) as { error?: { data?: unknown }; data?: unknown }
  const { code: given, message } =
    ((error?.data ?? data) as { code?: unknown; message?: unknown } | null | undefined) ?? {}
  const code = typeof given === "number" ? given : undefined
  const words = typeof message === "string" && message !== "" ? `: ${message}` : ""
  const hint = connectionHints[code ?? 0]
  return new RealtimeError(meaningOf(code), {
    provider,
    message: `unable to connect; Pusher says ${code ?? "nothing"}${words}${hint ? `; ${hint}` : ""}`,
    cause: code,
  })
}

/** What the server library throws when a request fails: https://github.com/pusher/pusher-http-node */
interface RequestFailure {
  status?: unknown
  body?: unknown
  error?: { name?: unknown; code?: unknown } | null
}

const codeByStatus: Record<number, RealtimeErrorCode> = {
  400: "invalid-request",
  401: "invalid-config",
  403: "rate-limited",
  404: "invalid-config",
  408: "timeout",
  413: "message-too-large",
  429: "rate-limited",
}

const networkHints = new Map<unknown, string>([
  ["EAI_AGAIN", "check PUSHER_CLUSTER or PUSHER_HOST"],
  ["ECONNREFUSED", "check PUSHER_HOST and PUSHER_PORT"],
  ["ENOTFOUND", "check PUSHER_CLUSTER or PUSHER_HOST"],
])

/**
 * Pusher's answer to a request of the server library. The address that the library's
 * error holds is signed: it stays here.
 */
export function fromRequestError(value: unknown, doing = "publish"): RealtimeError {
  if (isRealtimeError(value)) return value
  const { status, body, error } = (value ?? {}) as RequestFailure
  if (typeof status === "number") {
    const hint = requestHint(status, typeof body === "string" ? body : "")
    return new RealtimeError(codeByStatus[status] ?? "provider-unavailable", {
      provider,
      message: `unable to ${doing}; Pusher answered ${status}${hint ? `: ${hint}` : ""}`,
      // A quota or a disabled app doesn't pass in seconds, as a rate does; nor does
      // what has no code of its own here.
      retryable: status === 408 || status === 429 || status < 400 || status >= 500,
      cause: status,
    })
  }
  if (error?.name === "AbortError")
    return new RealtimeError("timeout", {
      provider,
      message: `unable to ${doing}; Pusher didn't answer in time`,
    })
  const reason = typeof error?.code === "string" ? error.code : undefined
  const hint = networkHints.get(reason)
  return new RealtimeError("provider-unavailable", {
    provider,
    message: error
      ? `unable to ${doing}; Pusher could not be reached: ${reason ?? "the network failed"}${hint ? `; ${hint}` : ""}`
      : `unable to ${doing}; Pusher's answer is unreadable`,
    cause: reason,
  })
}

/**
 * Which of the settings it is. Pusher says so in words, and in those of a wrong
 * signature repeats what was signed.
 */
function requestHint(status: number, body: string): string | undefined {
  if (status === 401) {
    if (/signature/i.test(body)) return "check PUSHER_SECRET"
    if (/timestamp/i.test(body)) return "this machine's clock is off by more than ten minutes"
    if (/auth_key/i.test(body)) return "check PUSHER_KEY, PUSHER_APP_ID and PUSHER_CLUSTER"
    return "check PUSHER_KEY and PUSHER_SECRET, and this machine's clock"
  }
  if (status === 403) return "the app is disabled or over its quota"
  if (status === 404) return "check PUSHER_APP_ID and PUSHER_CLUSTER"
  if (status === 400 && /cluster|app/i.test(body)) return "check PUSHER_APP_ID and PUSHER_CLUSTER"
  return undefined
}
