import type { Json, JsonObject } from "./json.ts"

export interface Member {
  user_id: string
  user_info?: Json
}

/** The members of one presence channel: distinct users, each with one or more connections (pusher/README.md §4). */
export interface Presence {
  readonly count: number
  has(userId: string): boolean
  /** True when this is the user's first connection. */
  join(socketId: string, member: Member): boolean
  /** The user, when this was their last connection. */
  leave(socketId: string): string | undefined
  userOf(socketId: string): string | undefined
  ids(): string[]
  /** The data of `subscription_succeeded`; the one who joins is in it. */
  snapshot(): JsonObject
}

export function createPresence(): Presence {
  const users = new Map<string, string>()
  const members = new Map<string, { info: Json; sockets: Set<string> }>()

  return {
    get count() {
      return members.size
    },
    has: (userId) => members.has(userId),
    join(socketId, { user_id, user_info }) {
      users.set(socketId, user_id)
      const known = members.get(user_id)
      // The info of the first connection stays: no event would tell the others of a new one.
      if (known) known.sockets.add(socketId)
      else members.set(user_id, { info: user_info ?? null, sockets: new Set([socketId]) })
      return !known
    },
    leave(socketId) {
      const userId = users.get(socketId)
      if (userId === undefined) return undefined
      users.delete(socketId)
      const member = members.get(userId)
      member?.sockets.delete(socketId)
      if (member && member.sockets.size > 0) return undefined
      members.delete(userId)
      return userId
    },
    userOf: (socketId) => users.get(socketId),
    ids: () => [...members.keys()],
    snapshot() {
      const ids = [...members.keys()]
      const hash = Object.fromEntries([...members].map(([id, { info }]) => [id, info]))
      return { presence: { count: ids.length, ids, hash } }
    },
  }
}
