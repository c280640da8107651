import type { JsonValue } from "../../json.ts"
import type { Member, PresenceSnapshot, User } from "../../message.ts"
import type { PresenceChange } from "./mapping.ts"

/** Who is in which channel, by connections: a person is there from their first one to their last. */
export interface PresenceRegistry {
  /** The change that the channel's watchers should hear of. */
  enter(channel: string, connection: string, user: User, data: JsonValue): PresenceChange
  /** Null when nobody could see a difference. */
  leave(channel: string, connection: string): PresenceChange | null
  snapshot(channel: string): PresenceSnapshot
}

interface Present {
  user: User
  /** Each connection's data; the person's is that of the latest. */
  connections: Map<string, JsonValue>
}

export function createPresenceRegistry({ maxMembers }: { maxMembers: number }): PresenceRegistry {
  const channels = new Map<string, Map<string, Present>>()

  function toMember({ user, connections }: Present): Member {
    return { user, data: [...connections.values()].at(-1) ?? null }
  }

  function snapshot(channel: string): PresenceSnapshot {
    const people = channels.get(channel)
    const count = people?.size ?? 0
    if (!people || count > maxMembers) return { count, members: people ? null : [] }
    return { count, members: [...people.values()].map(toMember) }
  }

  return {
    snapshot,
    enter(channel, connection, user, data) {
      const people = channels.get(channel) ?? new Map<string, Present>()
      channels.set(channel, people)
      const present = people.get(user.id) ?? { user, connections: new Map() }
      people.set(user.id, present)
      present.user = user
      present.connections.delete(connection)
      present.connections.set(connection, data)
      if (people.size > maxMembers) return { count: people.size, members: null }
      return { count: people.size, set: toMember(present) }
    },
    leave(channel, connection) {
      const people = channels.get(channel)
      for (const [id, present] of people ?? []) {
        if (!people || !present.connections.delete(connection)) continue
        const count = present.connections.size > 0 ? people.size : people.size - 1
        if (present.connections.size > 0) {
          return count > maxMembers ? null : { count, set: toMember(present) }
        }
        people.delete(id)
        if (count === 0) channels.delete(channel)
        if (count > maxMembers) return { count, members: null }
        // Back under the limit: those who only knew the number learn the names.
        return count === maxMembers ? { ...snapshot(channel) } : { count, remove: id }
      }
      return null
    },
  }
}
