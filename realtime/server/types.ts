import type {
  AnyChannelDefinition,
  ChannelDefinitions,
  ChannelRef,
  MessageEvent,
  MessageInput,
  ParamsOf,
  ResolvedChannel,
  SignalEvent,
  SignalInput,
  SignalOutput,
  StateInput,
  StateKey,
} from "../channel.ts"
import type { OnError } from "../errors.ts"
import type { JsonValue } from "../json.ts"
import type { MessageLog } from "../log/message-log.ts"
import type { SnapshotWrite, SnapshotWritten } from "../log/snapshot-store.ts"
import type {
  LogHead,
  LogPage,
  PresenceSnapshot,
  PublishReceipt,
  Signal,
  SignalOrigin,
  User,
} from "../message.ts"
import type { ChannelAction, ProviderConfig, RealtimePublisher } from "../publisher.ts"
import type { SnapshotPage } from "../snapshot.ts"
import type { StatePage } from "../state.ts"
import type { Tracing } from "../tracing.ts"
import type { OutgoingMessage, PublishResult } from "../transport.ts"
import type { PresenceCounts } from "./presence-counts.ts"
import type { StateReceipt } from "./state-writer.ts"

/** What the application says of itself, in its own modules. */
export interface Declarations<Definitions extends ChannelDefinitions> {
  /** The definitions, by names of your own: `authorize` is told them as `channel.kind`. */
  channels: Definitions
  /**
   * Who is asking, from the request's cookies or headers; null for nobody. Of what it returns, `id` and
   * `name` are kept and shown to others, and nothing else. An `id` that is no text fails with
   * `invalid-config`.
   */
  identify(request: Request): Promise<User | null> | User | null
  /**
   * The one decision on access, for every provider and every way in. True lets the user do it. For `publish`
   * and `signal` it is asked about each event, with the payload as the schema returned it. Ably, which takes
   * signals without asking us, is told once of each channel, so there `signal` is asked about on joining,
   * without an event; a signal that it refuses goes over HTTP, with both.
   */
  authorize(request: AuthorizeRequest<Definitions>): Promise<boolean> | boolean
  /**
   * Called before what a user asks for is done, publishes and signals and reads alike, and before a webhook
   * is read, which anybody may send and whose `user` is null; rejects with `rate-limited` to refuse it. Count
   * webhooks by the address that they come from: a number of all of them together is one that strangers can
   * use up. What server code does by itself isn't limited. Default: nothing is refused.
   */
  limit?: ((request: LimitedRequest) => Promise<void>) | undefined
  /**
   * What server code does with the signals of pages that definitions name in `heard`, by the names of
   * definition and event. Called in the process that takes the signal: the gateway that its sender is
   * connected to, or whichever answers the request that brings it, once it was authorized, validated and
   * limited. The others get the signal at the same time, whatever becomes of the handler: what it throws goes
   * to `onError`. Signals that server code sends aren't heard. Default: nothing is heard.
   *
   * ```ts
   * const onSignal: SignalHandlers<{ room: typeof room }> = {
   *   room: { typing: ({ channel, from, payload }) => console.log(channel.name, from.id, payload.isTyping) },
   * }
   * ```
   */
  onSignal?: SignalHandlers<Definitions> | undefined
}

/** What server code does with signals, by the names of definitions and events. */
export type SignalHandlers<Definitions extends ChannelDefinitions> = {
  readonly [Kind in keyof Definitions & string]?: {
    readonly [Event in SignalEvent<Definitions[Kind]>]?: (
      signal: HeardSignal<Definitions[Kind], Event>,
    ) => Promise<void> | void
  }
}

/** A signal of a page, as server code hears it. */
export interface HeardSignal<
  D extends AnyChannelDefinition = AnyChannelDefinition,
  Event extends SignalEvent<D> = SignalEvent<D>,
> {
  /** Where it was sent, to write to or to publish in. */
  channel: ChannelRef<D> & { readonly params: ParamsOf<D> }
  /** Which of the definition's `signals` it is. */
  event: Event
  /** What was sent, as the event's schema returned it. */
  payload: SignalOutput<D, Event>
  /** Who sent it: what `identify` returned. */
  from: User
  /** When the server took it, in milliseconds since 1970. */
  at: number
  /**
   * What the sending page says of itself: a random name of its own, and how many signals it had sent in the
   * channel. One with a lower `n` than the last of that page was overtaken on its way.
   */
  origin?: SignalOrigin | undefined
}

/** What `createRealtime` is made from. */
export interface RealtimeOptions<Definitions extends ChannelDefinitions> extends Declarations<Definitions> {
  /**
   * Where messages are kept: the source of truth. `createSqliteLog`, `createPostgresLog`, or one of your
   * own.
   */
  log: MessageLog
  /** In order of preference; every message is handed to each of them. */
  publishers: readonly RealtimePublisher[]
  /** The largest payload, in bytes of JSON. Default 32 KiB. */
  maxPayloadBytes?: number
  /**
   * The most keys in the state of one channel; a further one is refused with `rate-limited`. Default 1,000.
   */
  maxStateKeys?: number
  /**
   * The largest snapshot of a channel, in bytes. Default 2 MiB; pages read one in a single answer, which
   * hosts of functions limit.
   */
  maxSnapshotBytes?: number
  /**
   * How long a publish waits for a provider that is slow or failing, its attempts taken together. Default 5
   * s. What isn't delivered by then is in the log all the same.
   */
  deliveryTimeoutMs?: number
  /**
   * For hosts that let a process stand still once its requests are answered, as `after` of Next.js or
   * `waitUntil` of Vercel: takes what is still on its way then. With it nothing is left to timers either.
   */
  waitUntil?: ((work: Promise<unknown>) => void) | undefined
  /** Where webhooks keep how many people are in which channel; without it they are refused. */
  presenceCounts?: PresenceCounts
  /** Follows messages from their senders to their readers; absent, nobody does and nothing more travels. */
  tracing?: Tracing | undefined
  /** Where failures go that no caller waits for. Default: `console.error`. */
  onError?: OnError
}

/** What `limit` is asked about. */
export type LimitedRequest = UserRequest | WebhookRequest

interface UserRequest {
  /** Who asks. */
  user: User
  /** `read`: whatever only asks, over HTTP or a socket, and permission to connect or to subscribe. */
  action: "publish" | "signal" | "read"
  /** With `publish` and `signal`: where. */
  channel?: string
  /** How many at once. */
  count: number
}

interface WebhookRequest {
  /** Nobody is signed in, and whether it is the service's is known by its signature, once it is read. */
  user: null
  /** A provider tells what happened. */
  action: "webhook"
  /** Always one. */
  count: 1
}

/** What `authorize` is asked: may this user do this in this channel? */
export type AuthorizeRequest<Definitions extends ChannelDefinitions> = {
  /** Who asks: what `identify` returned. */
  user: User
  /** Where: `channel.kind` is its key in `channels`, `channel.params` what its name holds. */
  channel: ResolvedChannel<Definitions>
  /** What the user wants to do. */
  action: ChannelAction
  /** With `publish` and `signal`: what is to be sent. */
  event?: string
  /** With `publish` and `signal`: its payload, as the event's schema returned it. */
  payload?: unknown
  /** With `publish`: the message's, as its sender made it. */
  id?: string
  /**
   * With `publish`: what the same request brings before it and was let in, as it came. It isn't in the log
   * yet: it is refused there after all where its id is that of somebody else's message. Whoever is asked once
   * more about a message was asked before as if more were let in.
   */
  earlier?: readonly OutgoingMessage[]
}

/** Server: publishes to channels and answers the browsers' requests. Make one per process. */
export interface Realtime<Definitions extends ChannelDefinitions = ChannelDefinitions> {
  /**
   * Appends a message to the channel's log and hands it to the providers. Resolves once it is in the log and
   * the providers were tried; a provider's failure goes to `onError`, since its subscribers find the message
   * in the log. Not subject to `authorize` or `limit`: server code is trusted.
   *
   * ```ts
   * await realtime.publish(room({ room: "42" }), "text-sent", { text: "hello" })
   * ```
   */
  publish<D extends Definitions[keyof Definitions], E extends MessageEvent<D>>(
    channel: ChannelRef<D>,
    event: E,
    payload: MessageInput<D, E>,
    options?: PublishOptions,
  ): Promise<PublishReceipt>
  /** Several messages, also of several channels, in one commit; all are accepted or none. */
  publishBatch(entries: readonly BatchEntry[]): Promise<PublishReceipt[]>
  /** Sends a signal to everyone in the channel. */
  signal<D extends Definitions[keyof Definitions], E extends SignalEvent<D>>(
    channel: ChannelRef<D>,
    event: E,
    payload: SignalInput<D, E>,
    options: { from: User },
  ): Promise<void>
  /** The state of a channel: of each key the newest value, which pages watch. */
  state<D extends Definitions[keyof Definitions]>(channel: ChannelRef<D>): ChannelState<D>
  /** The snapshot of a channel: what its messages up to one position amount to, which pages begin with. */
  snapshot(channel: ChannelRef): ChannelSnapshot
  /**
   * Call it when `authorize` has begun to refuse the user this channel, or, without one, whatever it may be:
   * their open connections lose it at once, on every provider. Resolves once each provider was told. What a
   * provider couldn't be told goes to `onError`; those connections lose it when they next compare themselves
   * with the log, within 75 s by default.
   */
  revoke(user: Pick<User, "id">, channel?: ChannelRef): Promise<void>
  /** A page of the log: after a `seq`, or before one; the newest page when neither is given. */
  history(channel: ChannelRef, options?: HistoryOptions): Promise<LogPage>
  /** Where the channel's log ends now: its epoch, and the `seq` of the newest message. */
  head(channel: ChannelRef): Promise<LogHead>
  /**
   * Who is in the channel, over all providers: each person once. Providers that fail are left out; rejects
   * when all of them do.
   */
  members(channel: ChannelRef): Promise<PresenceSnapshot>
  /**
   * How many people are in each channel, for a list of many: by the provider's own account where it has one
   * at hand, else by its webhooks. Null where there is neither.
   */
  counts(channels: readonly ChannelRef[]): Promise<(number | null)[]>
  /** What the browser needs to connect, for the page: `createRealtimeClient({ config })`. Nothing secret. */
  clientConfig(): ClientConfig
  /** For the catch-all route: `export const { GET, POST } = realtime.handlers`. */
  readonly handlers: { GET(request: Request): Promise<Response>; POST(request: Request): Promise<Response> }
  /** What gateways and handlers stand on: channels by name, from outside, in a user's name. */
  readonly core: RealtimeCore
  /**
   * What it was made from is another by now: hot reload has evaluated the application's modules again. Counts
   * for whatever comes from now on, by HTTP and at the gateway; the log and the publishers stay as they are.
   */
  redefine<Next extends ChannelDefinitions>(declarations: Partial<Declarations<Next>>): void
  /**
   * Waits for what was accepted until now, ten seconds at most, then closes the publishers and the log.
   * Called again, it waits for the same end.
   */
  close(): Promise<void>
}

/**
 * Server: the state of one channel. Writes resolve once they are in the log; pages that watch the key are
 * told at their own rate. Not subject to `authorize` or `limit`: server code is trusted. They reject with
 * `event-unknown` for a key that isn't declared, `invalid-payload`, `message-too-large`, `rate-limited` where
 * the channel has as many keys as it may have or too many writes wait, `timeout` where the schema doesn't
 * answer in 10 s, and `unsupported` where the log keeps no state.
 */
export interface ChannelState<D extends AnyChannelDefinition = AnyChannelDefinition> {
  /** Puts a whole value in place. */
  set<K extends StateKey<D>>(key: K, value: StateInput<D, K>): Promise<StateReceipt>
  /**
   * Changes fields of a value: those that are absent or undefined stay as they are, and all of it is what
   * the schema returns of the whole. Without a value yet, the fields have to be one. Rejects with `conflict`
   * where others change the same key all the time.
   */
  patch<K extends StateKey<D>>(key: K, fields: Partial<StateInput<D, K>>): Promise<StateReceipt>
  /** Removes the key. */
  delete(key: StateKey<D>): Promise<StateReceipt>
  /**
   * These keys, all of them without any, and the channel's version; what doesn't fit into 1 MiB is in `rest`.
   */
  read(keys?: readonly StateKey<D>[]): Promise<StatePage>
}

/**
 * Server: the snapshot of one channel, so that a page needn't read all of its messages. What is in it is the
 * application's own, made of the channel's log alone. Not subject to `authorize` or `limit`. Rejects with
 * `unsupported` where the log keeps no snapshots.
 *
 * ```ts
 * const slot = realtime.snapshot(room({ room: "42" }))
 * const { snapshot, head, messages } = await slot.read()
 * const upTo = messages.at(-1)?.seq
 * if (upTo !== undefined) {
 *   const bytes = new TextEncoder().encode(JSON.stringify(messages.map(({ payload }) => payload)))
 *   await slot.write({ epoch: head.epoch, upTo, ifUpTo: snapshot?.upTo ?? 0, bytes })
 * }
 * ```
 */
export interface ChannelSnapshot {
  /**
   * The newest snapshot and the messages that follow it, 500 and 1 MiB at most: go on by `history` after the
   * last of them. Where they don't follow it, by `head.first`, retention took what is between. With `before`,
   * the newest that reaches less far than that: the one before the newest is kept, too.
   */
  read(options?: { before?: number }): Promise<SnapshotPage>
  /**
   * Puts a snapshot in place of the one that it was made from. Of several who do so at once one does; the
   * others are told `isWritten: false`, and what is there: another snapshot, or another epoch. Rejects with
   * `message-too-large`, and with `invalid-request` where it says to reach beyond the log, or not beyond the
   * one before it.
   */
  write(snapshot: SnapshotWrite): Promise<SnapshotWritten>
  /**
   * Removes the messages that the snapshot covers, but for what a reader needs who is a little behind: the
   * last 1,000, as far as they are less than 24 hours older than its last one. Resolves with how many.
   */
  trim(): Promise<number>
}

/** How server code publishes. */
export interface PublishOptions {
  /** A UUIDv7 made beforehand, so that a retry is recognised. Default: a new one. */
  id?: string
  /** In whose name; nobody's by default. */
  from?: User | null
}

/** One message of `publishBatch`: what `publish` takes, in one object. */
export interface BatchEntry {
  /** Where it goes. */
  channel: ChannelRef
  /** One of the channel's `messages`. */
  event: string
  /** What the event's schema takes. */
  payload: unknown
  /** A UUIDv7 made beforehand, so that a retry is recognised. */
  id?: string
  /** In whose name; nobody's by default. */
  from?: User | null
}

/** Which page of a log; without `after` and `before`, the newest. */
export interface HistoryOptions {
  /** The messages after this `seq`, oldest first; `before` is then not looked at. */
  after?: number
  /** The newest ones before this `seq`, oldest first. */
  before?: number
  /** Default 50, at most 500. */
  limit?: number
}

/** What the browser needs to connect, and nothing secret. */
export interface ClientConfig {
  /**
   * Changes with the configuration. Every answer of the catch-all route names
   * the server's, and pages follow it.
   */
  version: string
  /** Where the catch-all route is mounted, as in `/api/realtime`. */
  basePath: string
  /** In order of preference. */
  providers: ProviderConfig[]
  /** The largest payload that the server accepts, in bytes of JSON. */
  maxPayloadBytes: number
}

/** The server's half of the contract, between whatever carries a request (HTTP, a socket) and the log. */
export interface RealtimeCore {
  /** Rejects with `channel-unknown` or `channel-denied` unless the user may do this. */
  authorize(user: User, channel: string, action: ChannelAction): Promise<void>
  /** Rejects with `rate-limited` when the user asks too much. Publishes and signals see to it themselves. */
  limitRead(user: User): Promise<void>
  /** Authorizes, validates, limits, appends and delivers; one result per message, in order. */
  accept(user: User, channel: string, messages: readonly OutgoingMessage[]): Promise<PublishResult[]>
  /** Authorizes, validates and limits a signal; resolves with its payload as the schema returned it. */
  acceptSignal(
    user: User,
    channel: string,
    event: string,
    payload: unknown,
    origin?: SignalOrigin,
  ): Promise<Signal>
  /**
   * Hands a signal that one provider's connections have already to those of the others. Never rejects: what a
   * provider has no room for is gone, as signals are.
   */
  relaySignal(signal: Signal, from: string): Promise<void>
  /**
   * Hands a signal that was accepted to server code, where its definition names it in `heard`. Resolves when
   * that is done with it, after ten seconds at most. Never rejects: failures go to `onError`.
   */
  hearSignal(signal: Signal): Promise<void>
  /** Authorizes and validates presence data. */
  acceptPresence(user: User, channel: string, data: unknown): Promise<JsonValue>
  /** The heads of channels' logs, in their order. */
  heads(channels: readonly string[]): Promise<LogHead[]>
  /** Not authorized here: the caller has done that. Equal reads at one time are one. */
  readAfter(channel: string, seq: number, limit: number): Promise<LogPage>
  /** Resolves when everything accepted until now was committed and handed to the providers. */
  idle(): Promise<void>
}
