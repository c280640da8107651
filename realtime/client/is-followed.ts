import type { Channel } from "./types.ts"

/** Somebody takes part: not while the client is closed, nor where the server has refused the page. */
export function isFollowed({ status: { state } }: Pick<Channel, "status">): boolean {
  return state === "attaching" || state === "attached"
}
