import { RealtimeError } from "./errors.ts"
import type { JsonValue } from "./json.ts"
import type { PresenceSnapshot, Signal, User, WireMessage } from "./message.ts"
import type { StatePatch } from "./state.ts"
import { isText } from "./text.ts"

/**
 * Server: what a provider does for server code. It hands on what is already in the log; a message that it
 * fails to deliver is not lost, since its readers find it there.
 */
export interface RealtimePublisher {
  /** The provider's name, as in `REALTIME_PROVIDER`. */
  readonly provider: string

  /**
   * Delivers logged messages to the subscribers of their channels, those of one channel in the given order.
   * Resolves when the provider has taken them all; rejects with `provider-unavailable` or `rate-limited`.
   */
  publish(messages: readonly WireMessage[]): Promise<void>

  /**
   * Delivers a signal to everyone in its channel, its sender's connections
   * included: receivers compare `from`.
   */
  signal(signal: Signal): Promise<void>

  /** How it delivers what changed in the state of channels. Absent: pages read it each minute. */
  readonly state?: StatePublisher

  /** Who is in a channel, by the provider's own account. */
  members(channel: string): Promise<PresenceSnapshot>

  /**
   * Takes back a permission: each of the user's connections has to ask again whether it may be in the channel
   * or, without a channel, in each of its channels. A provider may end more than that; the connections get
   * back what they still may have by asking. Resolves when the provider has accepted it.
   */
  revoke(userId: string, channel?: string): Promise<void>

  /**
   * How many people are in each channel, where the provider can tell it of
   * many at once; elsewhere webhooks do.
   */
  counts?(channels: readonly string[]): Promise<number[]>

  /**
   * Verifies what claims to be the provider's webhook and says what it tells. Rejects with
   * `unauthorized` when it isn't signed by the provider or is older than `webhookWindowMs`, with
   * `invalid-request` when it can't be read.
   */
  webhook?(request: WebhookRequest): Promise<ProviderEvent[]>

  /** What a browser needs to know to connect, for the page. Nothing secret. */
  clientConfig(): ProviderConfig

  /**
   * Answers a browser's request for permission to connect or to join. The
   * caller adds `Cache-Control: no-store`. Where it is asked about several channels at once, each is
   * answered by itself: one at which `authorize` fails holds up no other.
   */
  credentials(request: CredentialsRequest): Promise<JsonValue>

  /** Lets go of what it holds open. Called once, when the server's half ends. */
  close(): Promise<void>
}

/** Server: hands what changed in the state of channels to their subscribers. */
export interface StatePublisher {
  /**
   * The shortest time between two deliveries of one channel, in milliseconds; what comes meanwhile goes
   * together.
   */
  readonly intervalMs: number
  /**
   * Delivers patches of one channel to its subscribers. Resolves when the provider has taken them all;
   * rejects with `provider-unavailable` or `rate-limited`.
   */
  publish(patches: readonly StatePatch[]): Promise<void>
}

/** Names the server's configuration in every answer, so that pages notice when it has changed. */
export const configHeader = "Realtime-Config"

/** A provider's part of the client's configuration, as it stands in the page. */
export interface ProviderConfig {
  /** The provider's name, by which the page chooses what to load. */
  readonly provider: string
  readonly [option: string]: JsonValue
}

/** Browser: refuses what a page says of a provider's host, which may be absent, where it leads nowhere. */
export function requireAddress(config: ProviderConfig, host: string): void {
  const { provider, [host]: name, port, tls } = config
  const malformed = [
    ...(name === undefined || isText(name) ? [] : [host]),
    ...(port === undefined || typeof port === "number" ? [] : ["port"]),
    ...(tls === undefined || typeof tls === "boolean" ? [] : ["tls"]),
  ]
  if (malformed.length === 0) return
  const message = `unable to use ${provider}; malformed in the page's configuration: ${malformed.join(", ")}. It is what the server's publisher was made with`
  throw new RealtimeError("invalid-config", { provider, message })
}

export interface CredentialsRequest {
  /** The authenticated user who asks. */
  user: User
  /** What the browser asked, unchecked. */
  body: Readonly<Record<string, unknown>>
  /** Rejects with `channel-denied` or `channel-unknown` unless the user may do this in the channel. */
  authorize(channel: string, action: ChannelAction): Promise<void>
  /** Authorizes presence and resolves with the data as the channel's schema returned it. */
  acceptPresence(channel: string, data: unknown): Promise<JsonValue>
}

/** A webhook as it came: the signature is over the body's bytes, so nothing may have parsed it yet. */
export interface WebhookRequest {
  /** The headers of the request, among them the signature. */
  headers: Headers
  /** The body as it came, byte for byte. */
  rawBody: string
  /** Milliseconds since 1970. */
  now: number
}

/**
 * Providers repeat a webhook that wasn't answered for about five minutes; one that is much older
 * is a replay of a recorded request.
 */
export const webhookWindowMs = 10 * 60 * 1000

/** Refuses a webhook that isn't dated within that of now: somebody may have kept it. */
export function requireRecent(provider: string, date: unknown, now: number): void {
  if (typeof date === "number" && Math.abs(now - date) <= webhookWindowMs) return
  const message = `unable to take the webhook; its date isn't within ${webhookWindowMs / 60_000} minutes of now`
  throw new RealtimeError("unauthorized", { provider, message })
}

/**
 * What happened at the provider, as its webhook told it. The same event may come
 * twice, and later than a newer one.
 */
export type ProviderEvent = ChannelEvent | MemberEvent

export interface ChannelEvent {
  /** Somebody is in a channel that was empty, or the last one has left. */
  kind: "channel-occupied" | "channel-vacated"
  /** The name of the channel: `room:42`. */
  channel: string
  /** By the provider's clock, in milliseconds since 1970. */
  at: number
}

/** One connection of a person became visible, or stopped being so. */
export interface MemberEvent {
  /** Became visible, or stopped being so. */
  kind: "member-joined" | "member-left"
  /** The name of the channel: `room:42`. */
  channel: string
  /** By the provider's clock, in milliseconds since 1970. */
  at: number
  /** The connection, by the provider's name for it; a person may have several. */
  connection: string
  /** Whose connection it is. */
  userId: string
}

/** What the one `authorize` is asked about. `subscribe` covers reading history and seeing who is there. */
export type ChannelAction = "subscribe" | "publish" | "signal" | "presence"
