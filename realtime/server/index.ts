export type { RealtimePublisher } from "../publisher.ts"
export { createRealtime } from "./create-realtime.ts"
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
