import { isRealtimeError, RealtimeError, type RealtimeErrorCode } from "../../errors.ts"
import {
  type Member,
  type PresenceSnapshot,
  parseSignal,
  parseWireMessages,
  type Signal,
  type User,
  type WireMessage,
} from "../../message.ts"
import { createMessageId } from "../../message-id.ts"
import type { ProviderEvent } from "../../publisher.ts"
import type { ConnectionState } from "../../transport.ts"

export const provider = "ably"

export const messagesEvent = "messages"
export const signalEvent = "signal"
export const stateEvent = "state"

/**
 * Our name in Ably. `*` is a wildcard where capabilities name channels, so it travels as "%2A", and what
 * would be taken for that has its "%" doubled to "%25".
 */
const withoutWildcards = (channel: string) => channel.replace(/%(?=(?:25)*2A)/g, "%25").replaceAll("*", "%2A")
const withWildcards = (name: string) =>
  name.replace(/%((?:25)*)2A/g, (_, doubled: string) => (doubled === "" ? "*" : `%${doubled.slice(2)}2A`))

/** Where messages travel: browsers may subscribe, and only the server's key may publish. */
export const messagesChannel = (channel: string) => `rt:${withoutWildcards(channel)}`
/** Where signals travel: browsers may publish, and nothing that arrives here is ever taken for a message. */
export const signalsChannel = (channel: string) => `rt-signals:${withoutWildcards(channel)}`

/** Our name, read back from where messages travel; null for any other channel. */
export function fromMessagesChannel(name: unknown): string | null {
  return typeof name === "string" && name.startsWith("rt:") ? withWildcards(name.slice(3)) : null
}

/** What somebody who may read a channel may do there besides. */
export interface ChannelRights {
  signal: boolean
  presence: boolean
}

/** What a token lets its holder do in one of our channels: as little as the transport needs. */
export function capabilityOf(channel: string, rights: ChannelRights): Record<string, string[]> {
  return {
    [messagesChannel(channel)]: rights.presence ? ["presence", "subscribe"] : ["subscribe"],
    [signalsChannel(channel)]: rights.signal ? ["publish", "subscribe"] : ["subscribe"],
  }
}

/**
 * A person as Ably's `clientId`, which the token fixes and the service verifies; so the name in it is
 * verified too. Never the bare `*`, which would be anybody.
 */
export function toClientId({ id, name }: User): string {
  return `${encodeURIComponent(id)}/${encodeURIComponent(name ?? "")}`
}

/** What a person's tokens are taken back by. */
export const revocationKeyOf = (userId: string) => encodeURIComponent(userId)

export function fromClientId(clientId: unknown): User | null {
  if (typeof clientId !== "string") return null
  try {
    const [id, name, ...rest] = clientId.split("/").map(decodeURIComponent)
    if (!id || name === undefined || rest.length > 0) return null
    return name === "" ? { id } : { id, name }
  } catch {
    // Not one of ours: somebody with another key to the app.
    return null
  }
}

/**
 * What we send as `data`: text, since the SDK's MessagePack leaves out
 * whatever is null in objects and arrays.
 */
export const toAblyData = (value: unknown): string => JSON.stringify(value)

export function fromAblyData(data: unknown): unknown {
  if (typeof data !== "string") return null
  try {
    return JSON.parse(data)
  } catch {
    // Not one of ours: somebody with another key to the app.
    return null
  }
}

/** The messages that one Ably message carries. What isn't ours, or belongs to another channel, is dropped. */
export function fromAblyMessage(channel: string, inbound: { data?: unknown }): WireMessage[] {
  return parseWireMessages(fromAblyData(inbound.data)).filter((message) => message.channel === channel)
}

/** A signal is worthless a moment later: not in Ably's history, not replayed by a resumed connection. */
export const signalExtras = { ephemeral: true } as const

export function fromAblySignal(
  channel: string,
  inbound: { data?: unknown; clientId?: unknown; id?: unknown; timestamp?: unknown },
): Signal | null {
  const { event, payload, from, origin } = (fromAblyData(inbound.data) ?? {}) as {
    event?: unknown
    payload?: unknown
    from?: unknown
    origin?: unknown
  }
  // The server publishes without a clientId, in somebody's name; anybody else in their own.
  const user = fromClientId(
    inbound.clientId === undefined || inbound.clientId === null ? from : inbound.clientId,
  )
  const { id = createMessageId(), timestamp: at } = inbound
  return parseSignal({ id, channel, event, payload, from: user, at, clock: provider, origin })
}

export interface AblyMember {
  clientId?: unknown
  data?: unknown
  timestamp?: unknown
}

/** Ably's members, which are connections, as people: the data is that of the latest. */
export function fromAblyMembers(members: readonly AblyMember[], limit: number): PresenceSnapshot {
  const people = new Map<string, Member>()
  const byAge = [...members].sort((a, b) => Number(a.timestamp ?? 0) - Number(b.timestamp ?? 0))
  for (const { clientId, data } of byAge) {
    const user = fromClientId(clientId)
    if (user) people.set(user.id, { user, data: data ?? null })
  }
  const count = people.size
  return { count, members: members.length > limit ? null : [...people.values()] }
}

/** Ably numbers what happened to a member: https://ably.com/docs/api/realtime-sdk/presence#presence-action */
const leaveActions: readonly unknown[] = [1, 3, "absent", "leave"]

/**
 * What a webhook tells, in a batch or as a single envelope:
 * https://ably.com/docs/platform/integrations/webhooks. What isn't about one of our channels' messages
 * and members isn't ours to count.
 */
export function fromWebhook(body: unknown): ProviderEvent[] {
  const { items } = (body ?? {}) as { items?: unknown }
  const batch = Array.isArray(items) ? items : [body]
  return batch.flatMap((item: unknown): ProviderEvent[] => {
    const {
      name,
      source,
      timestamp,
      data,
      channel: enveloped,
      ...envelope
    } = (item ?? {}) as Record<string, unknown>
    const about = (typeof data === "object" && data !== null ? data : envelope) as Record<string, unknown>
    const channel = fromMessagesChannel(about.channelId ?? enveloped)
    if (channel === null) return []
    if (source === "channel.presence") return fromWebhookMembers(channel, about.presence)
    if (typeof timestamp !== "number") return []
    if (name === "channel.opened") return [{ kind: "channel-occupied", channel, at: timestamp }]
    if (name === "channel.closed") return [{ kind: "channel-vacated", channel, at: timestamp }]
    return []
  })
}

function fromWebhookMembers(channel: string, presence: unknown): ProviderEvent[] {
  if (!Array.isArray(presence)) return []
  return presence.flatMap((value: unknown): ProviderEvent[] => {
    const { clientId, connectionId, timestamp: at, action } = (value ?? {}) as Record<string, unknown>
    const user = fromClientId(clientId)
    if (!user || typeof connectionId !== "string" || typeof at !== "number") return []
    const kind = leaveActions.includes(action) ? "member-left" : "member-joined"
    return [{ kind, channel, at, connection: connectionId, userId: user.id }]
  })
}

/** When the newest of what it tells happened, by Ably's clock; null when nothing in it is dated. */
export function webhookDate(body: unknown): number | null {
  const { items } = (body ?? {}) as { items?: unknown }
  const dates = (Array.isArray(items) ? items : [body]).flatMap((item: unknown) => {
    const { timestamp, presence } = (item ?? {}) as { timestamp?: unknown; presence?: unknown }
    const members = Array.isArray(presence) ? presence.map((member) => member?.timestamp) : []
    return [timestamp, ...members].filter((date) => typeof date === "number")
  })
  return dates.length > 0 ? Math.max(...dates) : null
}

/**
 * ably-js' states by what they mean: `disconnected` is retrying and resumable,
 * `suspended` is retrying for long.
 */
export function fromAblyState(state: string, wasConnected: boolean): ConnectionState {
  switch (state) {
    case "connected":
    case "suspended":
    case "failed":
      return state
    case "closing":
    case "closed":
      return "closed"
    default:
      return wasConnected ? "reconnecting" : "connecting"
  }
}

/**
 * What Ably's error codes mean here: https://github.com/ably/ably-common/blob/main/protocol/errors.json.
 * Those of Node's network stack stand where Ably's own would.
 */
const meanings: Partial<Record<RealtimeErrorCode, readonly (number | string)[]>> = {
  "channel-denied": [40160, 40165],
  "channel-unknown": [40010],
  "invalid-config": [40005, 40101, 40104, 40120, 40144, 40145, 40400],
  "invalid-payload": [40013],
  "invalid-request": [40000, 40001, 40003, 40020, 40031],
  "message-too-large": [40009],
  "not-connected": [80003, 80008, 80016, 80017, 80018, 90001, 91001, 91004, 91005, 91008],
  // Token errors pass by themselves, with the next token; but not when each is signed in the same wrong way.
  "provider-unavailable": [40105, 40140, 40141, 40142, 40143, 40170, 50000, 80019, 90003, 90004, 90005],
  "rate-limited": [40111, 40112, 40114, 42910, 42911, 42913, 42920, 90010, 91003],
  timeout: [50003, 90007, "ETIMEDOUT"],
  unauthorized: [40012, 40100, 40102, 40161, 40171, 40300],
  unsupported: [40162, 40163, 93001, 93002],
}
const codeByError = new Map<unknown, RealtimeErrorCode>(
  Object.entries(meanings).flatMap(([code, errors]) =>
    errors.map((error) => [error, code as RealtimeErrorCode]),
  ),
)

const codeByStatus: Record<number, RealtimeErrorCode> = {
  401: "unauthorized",
  403: "unauthorized",
  408: "timeout",
  413: "message-too-large",
  429: "rate-limited",
}

const hints = new Map<unknown, string>([
  ["EAI_AGAIN", "check ABLY_ENDPOINT"],
  ["ECONNREFUSED", "check ABLY_ENDPOINT and ABLY_PORT"],
  ["ENOTFOUND", "check ABLY_ENDPOINT"],
  [40005, "check ABLY_API_KEY"],
  [40101, "check ABLY_API_KEY"],
  [40104, "the server's clock is off"],
  [40120, "the app is disabled"],
  [40142, "if this repeats, the server's clock is behind"],
  [40144, "check ABLY_API_KEY and the server's clock"],
  [40145, "check ABLY_API_KEY"],
  [40400, "check ABLY_API_KEY and ABLY_ENDPOINT"],
  [90010, "leave others first"],
])

/**
 * Any error of the SDK as ours. Its object may hold requests and headers: its
 * words and code are all that is kept.
 */
export function fromAblyError(value: unknown, doing = "reach Ably"): RealtimeError {
  if (isRealtimeError(value)) return value
  const {
    code: given,
    statusCode,
    message,
  } = (value ?? {}) as { code?: unknown; statusCode?: unknown; message?: unknown }
  const code = typeof given === "number" ? given : undefined
  const status = typeof statusCode === "number" ? statusCode : undefined
  const known = codeByError.get(given)
  const byStatus = status === undefined ? undefined : codeByStatus[status]
  // What the service says of the request itself stays true of the next; states of connections
  // (8…, 9…) have such a status too.
  const isFull = code === 90010
  const isRefusal =
    !known && !byStatus && status !== undefined && status >= 400 && status < 500 && (code ?? 0) < 80_000
  const hint = hints.get(given)
  const reason = typeof message === "string" ? message : "unknown"
  return new RealtimeError(known ?? byStatus ?? "provider-unavailable", {
    provider,
    message: `unable to ${doing}; Ably says ${code === undefined ? "" : `${code}: `}${reason}${hint ? `; ${hint}` : ""}`,
    ...((isRefusal || isFull) && { retryable: false }),
    cause: code,
  })
}
