import type { PusherLimits } from "./limits.ts"

export type ChannelType = "public" | "private" | "presence" | "private-encrypted" | "server-to-user"

/** Server-to-user events travel on a channel that no application may name otherwise (§7). */
const SERVER_TO_USER = "#server-to-user-"

/** The type is in the prefix (pusher/README.md §2). */
export function channelType(name: string): ChannelType {
  if (name.startsWith(SERVER_TO_USER)) return "server-to-user"
  if (name.startsWith("private-encrypted-")) return "private-encrypted"
  if (name.startsWith("private-")) return "private"
  if (name.startsWith("presence-")) return "presence"
  return "public"
}

/** Any type may also be a cache channel, by the word after its own prefix (§2). */
export function isCacheChannel(name: string): boolean {
  return /^(private-encrypted-|private-|presence-)?cache-/.test(name)
}

/** Letters, digits and `_ - = @ , . ;` (§2). */
export function isValidChannelName(name: string, limits: PusherLimits): boolean {
  return name.length <= limits.channelNameLength && /^[A-Za-z0-9_\-=@,.;]+$/.test(name)
}

/** The user of a `#server-to-user-…` channel. */
export function serverToUserId(name: string): string {
  return name.slice(SERVER_TO_USER.length)
}
