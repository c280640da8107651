import type { ConnectionHandle } from "./connection.ts"
import { errorMessages } from "./errors.ts"
import { asId, parseObject } from "./json.ts"
import { type ClientFrame, errorFrame, systemFrame } from "./protocol.ts"
import type { ResolvedAppSettings } from "./settings.ts"
import { hmacSha256Hex, isSameSignature, parseAuth, userStringToSign } from "./signatures.ts"
import { createWatchlist } from "./watchlist.ts"

type SigninFrame = Extract<ClientFrame, { event: "pusher:signin" }>

/** Signed-in users: each is one or more connections (pusher/README.md §7). */
export interface Users {
  signin(connection: ConnectionHandle, frame: SigninFrame): void
  /** The connection has ended. */
  leave(connection: ConnectionHandle): void
  connectionsOf(userId: string): readonly ConnectionHandle[]
  /** `POST /users/{id}/terminate_connections`. */
  terminate(userId: string): void
}

export interface UsersOptions {
  settings: ResolvedAppSettings
  onAuthorized(connection: ConnectionHandle): void
}

export function createUsers({ settings, onAuthorized }: UsersOptions): Users {
  const users = new Map<string, Set<ConnectionHandle>>()
  const watchlist = createWatchlist((userId) => users.has(userId))

  /** The service says why, then closes: a client that can't prove who it is shouldn't come back (§7). */
  function refuse(connection: ConnectionHandle, message: string): void {
    connection.send(errorFrame(4009, message))
    connection.close(4009)
  }

  function watch(connection: ConnectionHandle, ids: readonly string[]): void {
    const limit = settings.limits.watchlistLength
    watchlist.watch(connection, ids.slice(0, limit))
    if (ids.length > limit) connection.send(errorFrame(4302, errorMessages[4302]))
  }

  return {
    signin(connection, { auth, user_data }) {
      const { key, signature } = parseAuth(auth)
      const text = userStringToSign(connection.socketId, user_data)
      if (key !== settings.key) return refuse(connection, `Invalid key in signin auth data: '${key}'`)
      if (!isSameSignature(signature, hmacSha256Hex(settings.secret, text)))
        return refuse(
          connection,
          `Invalid signature: Expected HMAC SHA256 hex digest of ${text}, but got ${signature}`,
        )

      const data = parseObject(user_data)
      const id = typeof data?.id === "string" ? asId(data.id) : undefined
      if (!data || id === undefined)
        return refuse(connection, "Invalid user_data: id must be a non-empty string")
      if (connection.user && connection.user.id !== id)
        return refuse(connection, "Connection is already signed in as a different user")

      // First, because over the quota it is closed, and nobody has come online.
      onAuthorized(connection)
      if (!connection.isOpen) return
      const isFirst = !users.has(id)
      const connections = users.get(id) ?? new Set()
      users.set(id, connections.add(connection))
      connection.user = { id, user_info: data.user_info }
      connection.send(systemFrame("pusher:signin_success", { user_data }))

      if (!settings.watchlistEvents) return
      if (Array.isArray(data.watchlist))
        watch(
          connection,
          data.watchlist.map(asId).filter((id) => id !== undefined),
        )
      if (isFirst) watchlist.changed(id, "online")
    },

    leave(connection) {
      watchlist.unwatch(connection)
      const id = connection.user?.id
      if (id === undefined) return
      const connections = users.get(id)
      connections?.delete(connection)
      if (connections?.size !== 0) return
      users.delete(id)
      if (settings.watchlistEvents) watchlist.changed(id, "offline")
    },

    connectionsOf: (userId) => [...(users.get(userId) ?? [])],

    terminate(userId) {
      for (const connection of [...(users.get(userId) ?? [])]) connection.close(4009)
    },
  }
}
