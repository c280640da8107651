import type { Connection } from "./connection.ts"
import { systemFrame } from "./protocol.ts"

/** Who wants to know of whose coming and going (pusher/README.md §7). */
export interface Watchlist {
  /** Tells the connection how its watchlist stands now, and of changes from now on. */
  watch(connection: Connection, userIds: readonly string[]): void
  unwatch(connection: Connection): void
  /** The user's first connection has signed in, or the last one has gone. */
  changed(userId: string, name: "online" | "offline"): void
}

export function createWatchlist(isOnline: (userId: string) => boolean): Watchlist {
  const watchers = new Map<Connection, ReadonlySet<string>>()

  return {
    watch(connection, userIds) {
      watchers.set(connection, new Set(userIds))
      const events = [
        { name: "online", user_ids: userIds.filter(isOnline) },
        { name: "offline", user_ids: userIds.filter((id) => !isOnline(id)) },
      ].filter((event) => event.user_ids.length > 0)
      if (events.length > 0) connection.send(systemFrame("pusher_internal:watchlist_events", { events }))
    },
    unwatch: (connection) => void watchers.delete(connection),
    changed(userId, name) {
      const frame = systemFrame("pusher_internal:watchlist_events", {
        events: [{ name, user_ids: [userId] }],
      })
      for (const [connection, watched] of [...watchers]) if (watched.has(userId)) connection.send(frame)
    },
  }
}
