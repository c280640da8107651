export { type ProviderEvent, type RealtimePublisher, webhookWindowMs } from "../publisher.ts"
export { createRealtime } from "./create-realtime.ts"
export { createMemoryPresenceCounts, type PresenceCounts, presenceLifetimeMs } from "./presence-counts.ts"
export type {
  AuthorizeQuestion,
  BatchEntry,
  ClientConfig,
  HistoryOptions,
  PublishOptions,
  Realtime,
  RealtimeCore,
  RealtimeOptions,
} from "./types.ts"
