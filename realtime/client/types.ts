import type { TransportCapabilities } from "../capabilities.ts"
import type {
  AnyChannelDefinition,
  ChannelRef,
  MessageEvent,
  MessageInput,
  MessageOutput,
  PresenceInput,
  PresenceOutput,
  SignalEvent,
  SignalInput,
  SignalOutput,
} from "../channel.ts"
import type { OnError, RealtimeError } from "../errors.ts"
import type { Cursor, LogPage, Member, PublishReceipt, RealtimeMessage, Signal } from "../message.ts"
import type { WatchedState } from "../state.ts"
import type { TransportStatus } from "../transport.ts"
import type { OutboxMessage } from "./outbox-entries.ts"

/** Any message of a definition, told apart by `event`. */
export type ChannelMessage<D extends AnyChannelDefinition = AnyChannelDefinition> = {
  [E in MessageEvent<D>]: EventMessage<D, E>
}[MessageEvent<D>]

/** A message of one event. An interface, so that the compiler works its payload out where it is read. */
export interface EventMessage<D, E extends MessageEvent<D>>
  extends Omit<RealtimeMessage, "event" | "payload"> {
  /** The event's name, as the channel's definition has it. */
  event: E
  /** What was published, as the event's schema returned it. */
  payload: MessageOutput<D, E>
}

/** Browser: one connection for the whole page, shared by every channel. */
export interface RealtimeClient {
  /** Whether there is a connection, and what becomes of it. */
  readonly connection: Connection
  /**
   * Starts connecting. Before it the client by itself listens to nothing, waits for nothing and
   * reaches no network, so that one may be made and thrown away; what it is asked for, as a publish,
   * goes by HTTP. After `close` it goes on: each subscription from its place, presence and the
   * outbox as they were left. Idempotent.
   */
  open(): void
  /**
   * A channel of this client. Cheap: the provider's subscription begins with the first
   * listener and ends with the last.
   */
  channel<D extends AnyChannelDefinition>(ref: ChannelRef<D>): Channel<D>
  /**
   * How many people are in each channel, without joining them: for a list of rooms. Null where the server
   * can't tell, or where the channel is closed to this user; at most 100 at once.
   */
  counts(channels: readonly ChannelRef[]): Promise<(number | null)[]>
  /**
   * Asks the server whether the session is still that of the client's `owner`: for a page that has
   * heard, from another tab, that somebody signed in or out. If it isn't, the connection is
   * `failed` with `session-changed`, and the client has ended; with `page-outdated` where the server no
   * longer understands the page. The client asks by itself when the page is looked at again. Never rejects.
   */
  checkSession(): Promise<void>
  /**
   * Ends the connection, until `open`; subscriptions keep their places. Publishes that wait, and those that
   * come while it is closed, reject with `not-connected`; what is in the outbox waits. Idempotent.
   */
  close(): Promise<void>
}

/** Browser: the page's one connection, whoever carries it. */
export interface Connection {
  /** Whether there is a connection, and why there isn't. The same object until it changes. */
  readonly status: TransportStatus
  /** The provider in use. */
  readonly provider: string
  /** Calls back on each change of `status`. */
  subscribe(listener: () => void): () => void
  /**
   * Tries at once instead of at the next interval; starts over after `failed`.
   * Nothing while the client isn't open.
   */
  retry(): void
}

/** Browser: one channel of a client. Get it by `client.channel(ref)`. */
export interface Channel<D extends AnyChannelDefinition = AnyChannelDefinition> {
  /** As the server knows it: `room:42`. */
  readonly name: string
  /** Whether it delivers now, and why it doesn't. */
  readonly status: ChannelStatus
  /** Calls back on each change of `status`. That alone doesn't attach the channel. Returns how to stop it. */
  onStatus(listener: () => void): () => void

  /**
   * Calls `onMessages` once for each message after `since`, in order, whatever happens to the connection.
   * Each subscription has its own position; all share one subscription at the provider.
   *
   * ```ts
   * const { unsubscribe } = client.channel(room({ room: "42" })).subscribe({
   *   onMessages: (messages) => console.log(messages.map(({ payload }) => payload.text)),
   * })
   * ```
   */
  subscribe(handlers: ChannelHandlers<D>, options?: SubscribeOptions): ChannelSubscription

  /**
   * Sends a durable message. Resolves when it is in the log. Messages of one channel are sent in the order of
   * the calls; what fails in passing is tried again with the same id until `timeoutMs` is over, so nothing is
   * sent twice. Rejects with a `RealtimeError` that says whether trying again (with the same `id`) can help.
   */
  publish<E extends MessageEvent<D>>(
    event: E,
    payload: MessageInput<D, E>,
    options?: SendOptions,
  ): Promise<PublishReceipt>

  /**
   * Sends a signal to the others. At most once: rejects when there is no connection. When the page
   * sends more than the provider takes of one, the newest of each event waits for its turn, and those
   * that it replaces reject with `rate-limited`; of an event that the definition names in `latest` they
   * resolve, and it goes at its own pace, 20 a second or 5 by the provider. One's own signals may come
   * back (from another tab, or by way of the server): compare `from`.
   */
  signal<E extends SignalEvent<D>>(event: E, payload: SignalInput<D, E>): Promise<void>
  /** Attaches the channel, and calls back on each signal of this event. Returns how to stop it. */
  onSignal<E extends SignalEvent<D>>(
    event: E,
    handler: (signal: Signal<E, SignalOutput<D, E>>) => void,
  ): () => void

  /** Messages on their way to this channel, which survive the page. */
  readonly outbox: ChannelOutbox<D>

  /** Who is in the channel, and how this page appears there. */
  readonly presence: Presence<D>

  /**
   * Takes part in the channel, with a listener also in its state: `watchState` and `followSnapshot` do, and
   * are what to use. Of several listeners the last one is told.
   */
  join(listener?: StateListener): ChannelSource

  /** Where failures go that no caller waits for: the `onError` that the client was made with. */
  readonly report: OnError

  /** A page of older messages: the newest ones before `before`, oldest first. */
  history(options?: { before?: number; limit?: number }): Promise<LogPage>
}

/** What is told to whoever takes part in a channel with its state. */
export interface StateListener {
  /** The provider delivers, from now on or again: what came before may have been missed. */
  attached(): void
  /** The patches of one delivery, as they came. */
  receive(patches: unknown): void
}

/** What whoever takes part in a channel can ask for. */
export interface ChannelSource {
  /**
   * Asks to be told of these keys, and resolves once that counts; of all keys where the provider knows no
   * other way.
   */
  watch(wanted: WatchedState): Promise<unknown> | undefined
  /** What the provider in use can do; null while there is no connection. */
  capabilities(): TransportCapabilities | null
  /** The largest payload, in bytes of JSON. */
  readonly maxPayloadBytes: number
  /** What the server answers to this, as it came. */
  post(path: string, body: unknown): Promise<Record<string, unknown>>
  /** The server has refused the page the channel. */
  shutOut(error: RealtimeError): void
  /** Leaves the channel; the listener may still be told. Idempotent. */
  release(): void
}

/**
 * Whether a channel delivers. `idle`: nobody listens. `attaching`: the provider was asked. `attached`: it
 * delivers. `denied`: the server refused this user.
 */
export interface ChannelStatus {
  /** One of the four states above. */
  readonly state: "idle" | "attaching" | "attached" | "denied"
  /** With `denied`: why. */
  readonly error?: RealtimeError | undefined
}

/** What a subscription calls. One that throws stops nobody else: its error goes to `onError`. */
export interface ChannelHandlers<D extends AnyChannelDefinition = AnyChannelDefinition> {
  /** Consecutive messages, oldest first; several when several arrived together. */
  onMessages(messages: ChannelMessage<D>[]): void
  /** The messages from `from` to `to` are gone for good: retention removed them. */
  onGap?(gap: { from: number; to: number }): void
  /**
   * The log was replaced: forget what was shown and read the history again. Delivery goes on after `cursor`.
   */
  onReset?(reset: { previous: Cursor; cursor: Cursor }): void
  /** Everything is there again after an interruption. */
  onCaughtUp?(result: { count: number; recovered: boolean }): void
}

/** Where a subscription begins. */
export interface SubscribeOptions {
  /** Where the application stands; absent: deliver what is published after the subscription began. */
  since?: Cursor | undefined
}

/** A listener of a channel, with a position of its own. */
export interface ChannelSubscription {
  /**
   * Resolves when the position is known and the provider delivers; rejects with
   * `channel-denied` and the like, and with `not-connected` when it ends or the client is
   * closed. Another one for each opening of the client.
   */
  readonly ready: Promise<void>
  /**
   * The position of the last message handed over; null until the position is known. Give it to another
   * `subscribe` as `since` to go on from there.
   */
  readonly cursor: Cursor | null
  /** Ends it: nothing is called any more. Idempotent. */
  unsubscribe(): void
}

/** A message of one's own that hasn't arrived from the log yet. */
export type PendingMessage<D extends AnyChannelDefinition = AnyChannelDefinition> = Omit<
  OutboxMessage,
  "event" | "payload"
> & {
  /** Which of the channel's `messages` it is. */
  readonly event: MessageEvent<D>
  /** As it was written: it isn't validated yet. */
  readonly payload: MessageInput<D, MessageEvent<D>>
}

/** Browser: the messages of this person that the log may not have yet, in one channel. */
export interface ChannelOutbox<D extends AnyChannelDefinition = AnyChannelDefinition> {
  /** In the order they were written. The same array until something changes. */
  readonly messages: readonly PendingMessage<D>[]
  /** Calls back on each change of `messages`. Returns how to stop it. */
  subscribe(listener: () => void): () => void
  /** Shows a message at once, stores it, and sends it until the log has it. Returns its id. */
  add<E extends MessageEvent<D>>(event: E, payload: MessageInput<D, E>): string
  /** Tries a failed or refused message again, under its id. */
  retry(id: string): void
  /** Forgets a message that isn't under way. */
  discard(id: string): void
  /** These have arrived: they are no longer pending. */
  arrived(ids: ReadonlySet<string>): void
}

/** How a message is sent. */
export interface SendOptions {
  /**
   * A UUIDv7 made beforehand (`createMessageId()`), to recognise the message when it arrives. Default: a new
   * one.
   */
  id?: string
  /** How long to go on trying. Default 15 s. */
  timeoutMs?: number
}

/** Browser: who is in a channel, people and not tabs. */
export interface Presence<D extends AnyChannelDefinition = AnyChannelDefinition> {
  /** Null until known. The same object until something changes. */
  readonly snapshot: PresenceState<D> | null
  /**
   * Calls back on each change of `snapshot`. The first listener has the provider tell who is there. Returns
   * how to stop it.
   */
  subscribe(listener: () => void): () => void
  /** Becomes visible until the returned function is called; the latest data of the page wins. */
  enter(data: PresenceInput<D>): PresenceEntry<D>
}

/** Who is in a channel at one moment. */
export interface PresenceState<D extends AnyChannelDefinition = AnyChannelDefinition> {
  /** How many people, not tabs. */
  count: number
  /** Sorted by user id; null beyond the provider's limit. */
  members: Member<PresenceOutput<D>>[] | null
}

/** One reason of this page to be visible in a channel; the last that leaves makes it invisible. */
export interface PresenceEntry<D extends AnyChannelDefinition = AnyChannelDefinition> {
  /** Changes what the others see. A refusal goes to `onError`. */
  update(data: PresenceInput<D>): void
  /** Takes this reason back. Idempotent. */
  leave(): void
}
