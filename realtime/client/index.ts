export { createMessageId } from "../message-id.ts"
export { type ClientOptions, createClient } from "./create-client.ts"
export {
  type ConfiguredClient,
  createRealtimeClient,
  type RealtimeClientOptions,
  type TransportFactory,
  type TransportOptions,
} from "./create-realtime-client.ts"
export { type FollowedLocks, type FollowLocksOptions, followLocks } from "./follow-locks.ts"
export { followMessages, type MessageFollower } from "./follow-messages.ts"
export {
  followSnapshot,
  type SnapshotHandlers,
  type SnapshotStart,
  type SnapshotSubscription,
} from "./follow-snapshot.ts"
export { createHttp, type RealtimeHttp } from "./http.ts"
export { createMessageFeed, type FeedState, type MessageFeed } from "./message-feed.ts"
export type { OutboxState } from "./outbox-entries.ts"
export { forgetOutbox } from "./outbox-store.ts"
export { requestWithin } from "./request-within.ts"
export type {
  Channel,
  ChannelHandlers,
  ChannelMessage,
  ChannelOutbox,
  ChannelSource,
  ChannelStatus,
  ChannelSubscription,
  Connection,
  EventMessage,
  PendingMessage,
  Presence,
  PresenceEntry,
  PresenceState,
  RealtimeClient,
  SendOptions,
  StateListener,
  SubscribeOptions,
} from "./types.ts"
export { type StateValues, type StateWatch, type WatchStateOptions, watchState } from "./watch-state.ts"
