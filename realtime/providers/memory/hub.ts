import type { RealtimeError } from "../../errors.ts"
import type { JsonValue } from "../../json.ts"
import type { Member, PresenceSnapshot, Signal, User, WireMessage } from "../../message.ts"
import type { StatePatch } from "../../state.ts"

/** One client's place in the hub. The hub calls back; the client asks. */
export interface HubConnection {
  readonly user: User
  onMessages(channel: string, messages: readonly WireMessage[]): void
  onSignal(signal: Signal): void
  onPresence(channel: string, snapshot: PresenceSnapshot): void
  onState(channel: string, patches: readonly StatePatch[]): void
  /** It was put out of the channel, and may ask again. */
  onRevoked(channel: string): void
  /** The connection was cut. */
  onDropped(): void
}

/**
 * The service in one object, as a vendor's cloud would be: who is connected,
 * who listens to what, who is there.
 */
export interface MemoryHub {
  /** Rejects, as a service does that is down or refuses this client. */
  connect(connection: HubConnection): Promise<void>
  disconnect(connection: HubConnection): void
  subscribe(connection: HubConnection, channel: string): Promise<void>
  unsubscribe(connection: HubConnection, channel: string): void
  enter(connection: HubConnection, channel: string, data: JsonValue): Promise<void>
  leave(connection: HubConnection, channel: string): void
  /** Puts the user's connections out of the channel, or of all. */
  revoke(userId: string, channel?: string): void
  snapshot(channel: string): PresenceSnapshot
  /** Of a connection: rejects unless its user may. */
  signal(connection: HubConnection | null, signal: Signal): Promise<void>
  broadcast(messages: readonly WireMessage[]): void
  broadcastState(patches: readonly StatePatch[]): void
  /** Faults: cuts every connection; refuses new ones while `error` is set. */
  dropConnections(): void
  refuseConnections(error: RealtimeError | null): void
}

export interface MemoryHubOptions {
  /** Whether a user may do this in a channel; rejects if not. */
  authorize(user: User, channel: string, action: "subscribe" | "presence" | "signal"): Promise<void>
  maxPresenceMembers: number
}

export function createMemoryHub({ authorize, maxPresenceMembers }: MemoryHubOptions): MemoryHub {
  const connections = new Set<HubConnection>()
  const subscribers = new Map<string, Set<HubConnection>>()
  const present = new Map<string, Map<HubConnection, JsonValue>>()
  let refusal: RealtimeError | null = null

  /** A later turn: a service never answers from within the call. */
  const later = (callback: () => void) => setImmediate(callback)
  const subscribersOf = (channel: string) => [...(subscribers.get(channel) ?? [])]

  function snapshot(channel: string): PresenceSnapshot {
    const members = new Map<string, Member>()
    for (const [{ user }, data] of present.get(channel) ?? []) members.set(user.id, { user, data })
    const count = members.size
    return { count, members: count > maxPresenceMembers ? null : [...members.values()] }
  }

  function announce(channel: string): void {
    const now = snapshot(channel)
    later(() => {
      for (const connection of subscribersOf(channel)) connection.onPresence(channel, now)
    })
  }

  function leave(connection: HubConnection, channel: string): void {
    if (present.get(channel)?.delete(connection)) announce(channel)
  }

  function disconnect(connection: HubConnection): void {
    connections.delete(connection)
    for (const set of subscribers.values()) set.delete(connection)
    for (const channel of present.keys()) leave(connection, channel)
  }

  return {
    async connect(connection) {
      await new Promise<void>((resolve) => later(resolve))
      if (refusal) throw refusal
      connections.add(connection)
    },
    disconnect,
    async subscribe(connection, channel) {
      await authorize(connection.user, channel, "subscribe")
      if (!connections.has(connection)) return
      const set = subscribers.get(channel) ?? new Set()
      subscribers.set(channel, set.add(connection))
      const now = snapshot(channel)
      later(() => connection.onPresence(channel, now))
    },
    unsubscribe(connection, channel) {
      subscribers.get(channel)?.delete(connection)
      leave(connection, channel)
    },
    async enter(connection, channel, data) {
      await authorize(connection.user, channel, "presence")
      if (!connections.has(connection)) return
      const members = present.get(channel) ?? new Map()
      present.set(channel, members.set(connection, data))
      announce(channel)
    },
    leave,
    revoke(userId, channel) {
      for (const name of channel === undefined ? subscribers.keys() : [channel]) {
        for (const connection of subscribersOf(name)) {
          if (connection.user.id !== userId) continue
          subscribers.get(name)?.delete(connection)
          leave(connection, name)
          later(() => connection.onRevoked(name))
        }
      }
    },
    snapshot,
    async signal(sender, signal) {
      if (sender) await authorize(sender.user, signal.channel, "signal")
      later(() => {
        for (const connection of subscribersOf(signal.channel))
          if (connection !== sender) connection.onSignal(signal)
      })
    },
    broadcast(messages) {
      later(() => {
        for (const [channel, group] of Map.groupBy(messages, (message) => message.channel)) {
          for (const connection of subscribersOf(channel)) connection.onMessages(channel, group)
        }
      })
    },
    broadcastState(patches) {
      later(() => {
        for (const [channel, group] of Map.groupBy(patches, (patch) => patch.channel)) {
          for (const connection of subscribersOf(channel)) connection.onState(channel, group)
        }
      })
    },
    dropConnections() {
      for (const connection of [...connections]) {
        disconnect(connection)
        later(connection.onDropped)
      }
    },
    refuseConnections(error) {
      refusal = error
    },
  }
}
