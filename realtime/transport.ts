import type { TransportCapabilities } from "./capabilities.ts"
import type { RealtimeError } from "./errors.ts"
import type { JsonValue } from "./json.ts"
import type {
  Cursor,
  LogPage,
  PresenceSnapshot,
  PublishReceipt,
  Signal,
  SignalOrigin,
  WireMessage,
} from "./message.ts"
import type { WatchedState } from "./state.ts"

/**
 * Browser: what a provider does for one client. It moves bytes and says what happened;
 * everything that the contract promises beyond that (order, no repeats, no gaps, people instead
 * of tabs) is built above it, once, for all.
 *
 * A transport may lose, repeat and reorder across a reconnect, but must then call `onAttached`
 * again, for that is what makes the client look for what it missed. While attached it passes on
 * each delivery of the provider once.
 */
export interface RealtimeTransport {
  /** The provider's name, as in `REALTIME_PROVIDER`. */
  readonly provider: string
  /** What the provider can do by itself; the client supplies the rest. */
  readonly capabilities: TransportCapabilities
  /** Whether there is a connection now. */
  readonly status: TransportStatus

  /** Calls back on each change of `status`. Returns how to stop it. */
  onStatus(listener: (status: TransportStatus) => void): () => void

  /**
   * Starts connecting and keeps trying, until `close`. What happens is told by `status`; never throws.
   * Calling it again is how a person's «try again» cuts a wait short; on an open connection it does nothing.
   */
  connect(): void

  /**
   * Joins a channel now, or as soon as there is a connection, and again after each reconnect. At
   * most one subscription a channel at a time: sharing one among several listeners is the
   * client's work, not the transport's.
   */
  subscribe(channel: string, observer: ChannelObserver): TransportSubscription

  /**
   * Sends durable messages of one channel, in order, and resolves with one result for each when the server
   * has answered. Rejects with `not-connected` or `timeout` when it didn't; some may have been accepted then,
   * and sending them again with the same ids is safe. Absent unless `publishesOverConnection`.
   */
  publish?(channel: string, messages: readonly OutgoingMessage[]): Promise<PublishResult[]>

  /** Leaves everything, closes the connection and ends in `closed`. Idempotent. */
  close(): Promise<void>
}

/**
 * The six states of a connection:
 *
 *     connecting ──▶ connected ◀──▶ reconnecting ──▶ suspended ──▶ (connected)
 *          └──────────────┴──────────────┴──▶ failed      any ──▶ closed
 */
export type ConnectionState =
  /** The first attempt is under way. */
  | "connecting"
  | "connected"
  /** The connection is gone and is being tried again; nothing is lost. */
  | "reconnecting"
  /** Has been failing for long; still retrying, slowly. */
  | "suspended"
  /** Will not retry by itself; `error` says why. `connect()` starts over. */
  | "failed"
  /** Ended by the application. */
  | "closed"

/** The state of a connection, and why. */
export interface TransportStatus {
  /** One of the six states of a connection. */
  readonly state: ConnectionState
  /** Why, in every state but `connected` and `closed`, when a reason is known. */
  readonly error?: RealtimeError | undefined
}

/**
 * What a transport tells about one channel. Calls are made one after another, never from within `subscribe`.
 */
export interface ChannelObserver {
  /** The position from which a provider that `catchesUpOnSubscribe` should go on; null: from now. */
  cursor(): Cursor | null
  /**
   * The provider has accepted the subscription: what is published from now on arrives. Called again after
   * each interruption. `page`, where the provider could give one, is what followed `cursor()`.
   */
  onAttached(page?: LogPage): void
  /** Deliveries may be interrupted; the transport is trying to attach again. */
  onDetached(): void
  /** The subscription was refused or withdrawn; the transport will not try again by itself. */
  onDenied(error: RealtimeError): void
  /** Messages arrived, in the provider's order. They may repeat, and have holes. */
  onMessages(messages: readonly WireMessage[]): void
  /** A signal arrived. */
  onSignal(signal: Signal): void
  /**
   * Everyone who is there, whenever that changes and after each attachment. Only
   * once `enter` or `watch` was asked.
   */
  onPresence(snapshot: PresenceSnapshot): void
  /**
   * What changed in the channel's state: the patches of one delivery as they came, which whoever watches
   * reads; of other keys, too, where the provider doesn't know who watches which.
   */
  onState?(patches: unknown): void
}

/** Browser: one channel at the provider, from `subscribe` until `unsubscribe`. */
export interface TransportSubscription {
  /**
   * Sends a signal to every other connection in the channel, other tabs of the same person included, with its
   * `origin`, by which receivers know the newer one. Resolves when it has left, not when it arrived; rejects
   * with `not-connected` or `rate-limited`, and then it is gone, or with `channel-denied`. Absent unless
   * `signalsOverConnection`, and once the provider refused one by a permission that only a new one replaces:
   * that one, and those that follow, go over HTTP.
   */
  signal?(event: string, payload: JsonValue, origin: SignalOrigin): Promise<void>
  /**
   * Asks for `onState` of these keys, so often a second at most, in place of those that were asked for
   * before; resolves once it counts. Not kept over reconnects: it is asked again with each attachment. Absent
   * where `onState` tells of all keys anyway.
   */
  watchState?(wanted: WatchedState): Promise<unknown> | undefined
  /** Asks for `onPresence` without becoming visible. */
  watchPresence(): void
  /**
   * Becomes visible with this data, or changes it. Kept over reconnects. Rejects where the server refuses.
   */
  enterPresence(data: JsonValue): Promise<void>
  /** Stops being visible. Idempotent. */
  leavePresence(): Promise<void>
  /** Leaves the channel; the observer is not called again. Idempotent. */
  unsubscribe(): void
}

/** A message as its sender hands it over, before the log gives it a place. */
export interface OutgoingMessage {
  /** A UUIDv7 made by the sender, by which a repetition is recognised. */
  id: string
  /** The event, as the channel declares it. */
  event: string
  /** What is to be sent, not validated yet. */
  payload: JsonValue
  /** The W3C trace context of the sending, where messages are followed. */
  traceparent?: string | undefined
}

/** One message's outcome: its receipt, or why the server refused it. */
export type PublishResult = { receipt: PublishReceipt } | { error: RealtimeError }
