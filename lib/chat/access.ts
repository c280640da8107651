import type { AuthorizeQuestion } from "#realtime/server"
import { type ChatChannels, publishableEvents } from "./channels.ts"
import type { Rooms } from "./rooms.ts"

/**
 * Who may do what in which room: the one decision, in Next.js and in the gateway, for every provider. Only members
 * may do anything; what the server says by itself (who came, who left) no browser may say. A laboratory is its visitor's alone.
 */
export function createAuthorize(rooms: Pick<Rooms, "isMember">) {
  return async ({ user, channel, action, event }: AuthorizeQuestion<ChatChannels>): Promise<boolean> => {
    if (action === "publish" && event !== undefined && !publishableEvents.has(event)) return false
    if (channel.kind === "lab") return channel.params.owner === user.id
    return rooms.isMember(user.id, channel.params.room)
  }
}
