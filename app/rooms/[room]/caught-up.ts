import type { FeedState } from "throughline/client"
import type { RoomDefinition } from "#lib/chat/channels.ts"
import type { RoomMessage } from "#lib/chat/conversation.ts"

/** How an interruption ended: how many messages there are to read since, and whether those are all that there were. */
export type CaughtUp = NonNullable<FeedState["caughtUp"]>

/**
 * What the newest messages, with which a room caught up, have for whoever looks at it: what others wrote. What only changed something is
 * nothing to read, and what one wrote oneself, here or on another device, is no news.
 */
export function toRead(
  caughtUp: FeedState<RoomDefinition>["caughtUp"],
  messages: readonly RoomMessage[],
  myId: string,
): CaughtUp | null {
  if (!caughtUp || caughtUp.count === 0) return caughtUp
  const news = messages
    .slice(-caughtUp.count)
    .filter(({ event, from }) => event === "text-sent" && from?.id !== myId)
  return { ...caughtUp, count: news.length }
}
