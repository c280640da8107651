export { type ClientOptions, createClient } from "./create-client.ts"
export {
  createRealtimeClient,
  type RealtimeClientOptions,
  type TransportFactory,
  type TransportOptions,
} from "./create-realtime-client.ts"
export { createHttp, type RealtimeHttp } from "./http.ts"
export { createMessageFeed, type FeedState, type MessageFeed, type PendingMessage } from "./message-feed.ts"
export { createMessageId } from "./message-id.ts"
export type {
  Channel,
  ChannelHandlers,
  ChannelMessage,
  ChannelStatus,
  ChannelSubscription,
  Connection,
  Presence,
  PresenceEntry,
  PresenceState,
  RealtimeClient,
  SendOptions,
  SubscribeOptions,
} from "./types.ts"
