import type { Cursor } from "../message.ts"
import type { Refusal, StoredMessage } from "./outbox-store.ts"

/** What one tab tells the others of the same person. */
export type OutboxNote =
  | { kind: "stored"; message: StoredMessage }
  | { kind: "sent"; id: string; place: Cursor }
  | { kind: "removed" | "queued"; id: string }
  | { kind: "refused"; id: string; refusal: Refusal }

export interface OutboxBus {
  post(note: OutboxNote): void
  listen(listener: (note: OutboxNote) => void): void
  /** Until it is listened to again. */
  close(): void
}

/** Browser: the tabs of one site. Nobody else can write to it. */
export function createTabBus(owner: string): OutboxBus {
  if (typeof BroadcastChannel === "undefined") return createSilentBus()
  let channel: BroadcastChannel | null = null
  let isListening = false
  const open = () => (channel ??= new BroadcastChannel(`realtime-outbox:${owner}`))
  return {
    post(note) {
      // Whoever doesn't listen says nothing: the others find it in the store.
      if (isListening) open().postMessage(note)
    },
    listen(listener) {
      isListening = true
      open().onmessage = ({ data }: MessageEvent<OutboxNote>) => listener(data)
    },
    close() {
      isListening = false
      channel?.close()
      channel = null
    },
  }
}

/** For a page that shares its outbox with no other. */
export const createSilentBus = (): OutboxBus => ({ post() {}, listen() {}, close() {} })
