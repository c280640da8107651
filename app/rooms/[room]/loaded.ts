import type { FeedState } from "throughline/client"

type Loaded = Pick<FeedState, "gaps" | "hasOlder" | "wasReset"> & { messages: readonly { seq: number }[] }

/** Whether a place in the log comes before all that is loaded, and could be loaded, too. */
export const isOlder = ({ messages, hasOlder }: Loaded, seq: number): boolean =>
  hasOlder && (messages[0]?.seq ?? 0) > seq

/**
 * Whether the log has been read at a place: a message that isn't found then isn't kept any more. A page that the browser kept, to
 * which Back leads, has yet to catch up with what came since. `head` is where the log ended when the server rendered the page.
 */
export function isRead(loaded: Loaded, head: number, seq: number): boolean {
  const { messages, gaps, wasReset } = loaded
  const end = Math.max(head, messages.at(-1)?.seq ?? 0, gaps.at(-1)?.to ?? 0)
  // The places of another log say nothing of this one's.
  return !isOlder(loaded, seq) && (wasReset || seq <= end)
}
