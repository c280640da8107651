export type { TransportCapabilities } from "./capabilities.ts"
export {
  type AnyChannelDefinition,
  type ChannelDefinition,
  type ChannelDefinitions,
  type ChannelParams,
  type ChannelRef,
  defineChannel,
  type MessageEvent,
  type MessageInput,
  type MessageOutput,
  matchChannel,
  type ParamsOf,
  type PresenceInput,
  type PresenceOutput,
  type ResolvedChannel,
  type SignalEvent,
  type SignalInput,
  type SignalOutput,
  type StateInput,
  type StateKey,
  type StateOutput,
} from "./channel.ts"
export {
  type ErrorContext,
  isRealtimeError,
  logError,
  type OnError,
  RealtimeError,
  type RealtimeErrorCode,
} from "./errors.ts"
export type { JsonValue } from "./json.ts"
export { createListeners } from "./listeners.ts"
export {
  foldLocks,
  type LockClaim,
  type LockClaimed,
  type LockReleased,
  type LocksDefinition,
  lockHolder,
  lockMessages,
} from "./locks.ts"
export type {
  Cursor,
  LogHead,
  LogPage,
  Member,
  PresenceSnapshot,
  PublishReceipt,
  RealtimeMessage,
  Signal,
  SignalOrigin,
  User,
  WireMessage,
} from "./message.ts"
export { areOfDifferentMessages, markOf, parseUser } from "./message.ts"
export { ownerHeaders } from "./owner.ts"
export type { ChannelAction, ProviderConfig, RealtimePublisher, StatePublisher } from "./publisher.ts"
export type { Snapshot, SnapshotPage } from "./snapshot.ts"
export type { StateEntry, StatePage, StatePatch, WatchedState } from "./state.ts"
export { isKeepable, toWellFormed } from "./text.ts"
export { startAll, type TracedMessage, type TraceSpan, type TraceStep, type Tracing } from "./tracing.ts"
export type {
  ChannelObserver,
  ConnectionState,
  OutgoingMessage,
  PublishResult,
  RealtimeTransport,
  TransportStatus,
  TransportSubscription,
} from "./transport.ts"
export { withinLimit } from "./within-limit.ts"
