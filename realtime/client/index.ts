export { type ClientOptions, createClient } from "./create-client.ts"
export {
  createRealtimeClient,
  type RealtimeClientOptions,
  type TransportModule,
  type TransportOptions,
} from "./create-realtime-client.ts"
export { createHttp, type RealtimeHttp } from "./http.ts"
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
