import type { ChannelStatus } from "../client/types.ts"
import type { RealtimeError } from "../errors.ts"
import type { DocumentStatus } from "./document-types.ts"

/** What a document's status is made of. */
export interface DocumentFacts {
  /** Something is shown: what was kept, or what the log has. */
  isLoaded: boolean
  /** Why it has come apart from the log; null where it hasn't. */
  diverged: RealtimeError | null
  channel: ChannelStatus
  /** How many messages the log doesn't have. */
  unsent: number
}

export function statusOf({ isLoaded, diverged, channel, unsent }: DocumentFacts): DocumentStatus {
  if (diverged) return { state: "diverged", unsent, error: diverged }
  if (channel.state === "denied") return { state: "refused", unsent, error: channel.error }
  if (!isLoaded) return { state: "loading", unsent }
  if (channel.state !== "attached") return { state: "offline", unsent }
  return { state: unsent > 0 ? "saving" : "synced", unsent }
}

export const isSameStatus = (a: DocumentStatus, b: DocumentStatus) =>
  a.state === b.state && a.unsent === b.unsent && a.error === b.error
