export { toWireError } from "../errors.ts"
export { reportFailure } from "../guard.ts"
export {
  createMemoryLog,
  createMemoryLogStore,
  type MemoryLogOptions,
  type MemoryLogStore,
} from "../log/memory.ts"
export type { AppendResult, LogEntry, MessageLog, Retention } from "../log/message-log.ts"
export type { SnapshotStore, SnapshotWrite, SnapshotWritten } from "../log/snapshot-store.ts"
export type { StateStore, StateWrite, StateWritten } from "../log/state-store.ts"
export { networkOf } from "../network.ts"
export { type ProviderEvent, type RealtimePublisher, webhookWindowMs } from "../publisher.ts"
export { readWithin } from "../read-within.ts"
export { createRealtime } from "./create-realtime.ts"
export { readJsonBody, statusOf } from "./http.ts"
export { createLocks, type Locks } from "./locks.ts"
export { createMemoryPresenceCounts, type PresenceCounts, presenceLifetimeMs } from "./presence-counts.ts"
export { requireSession } from "./session.ts"
export { createSharedReads } from "./shared-reads.ts"
export type { StateReceipt } from "./state-writer.ts"
export type {
  AuthorizeRequest,
  BatchEntry,
  ChannelSnapshot,
  ChannelState,
  ClientConfig,
  Declarations,
  HeardSignal,
  HistoryOptions,
  LimitedRequest,
  PublishOptions,
  Realtime,
  RealtimeCore,
  RealtimeOptions,
  SignalHandlers,
} from "./types.ts"
