export type { FeedState } from "../client/message-feed.ts"
export type { PendingMessage } from "../client/types.ts"
export { useRealtimeClient, useUser } from "./context.ts"
export { RealtimeProvider } from "./provider.tsx"
export { forgetUser } from "./remembered-user.ts"
export {
  type CreateThroughlineOptions,
  createThroughline,
  type ProviderModule,
  type ThroughlineProps,
} from "./throughline.tsx"
export { useChannel } from "./use-channel.ts"
export { useChannelState } from "./use-channel-state.ts"
export { type ConnectionView, useConnection } from "./use-connection.ts"
export { type UseLocksOptions, useLocks } from "./use-locks.ts"
export { useMessages } from "./use-messages.ts"
export { usePresence } from "./use-presence.ts"
export { useSignal } from "./use-signal.ts"
