import type { Socket, Server as SocketIoServer } from "socket.io"
import type { User } from "../../message.ts"
import type { ClientEvents, ServerEvents } from "./mapping.ts"

export type GatewayServer = SocketIoServer<ClientEvents, ServerEvents>
export type GatewaySocket = Socket<ClientEvents, ServerEvents>

/**
 * A channel that a socket wants, from the moment it asks. One that leaves and comes back gets another, so
 * that no answer to the first is taken for one to the second.
 */
export interface Membership {
  /** The socket may be there. Until then nothing may be done in the channel, and nothing is heard of it. */
  isJoined: boolean
  isPresent: boolean
  /**
   * How often entering and leaving were asked, and which of these took effect
   * last: whoever overtakes isn't undone.
   */
  asked: number
  done: number
  /** How often it was said which keys of the state are watched: the last counts. */
  watches: number
  /** So many are. */
  watchedKeys: number
}

export interface SocketData {
  user: User
  channels: Map<string, Membership>
  /** Puts a socket out of a channel, and says so. */
  removeFromChannel(socket: GatewaySocket, channel: string): Promise<void>
}

/** What is still being asked for is authorized once more, where a permission is taken back. */
export const joinedAmong = (channels: SocketData["channels"] = new Map()): string[] =>
  [...channels].flatMap(([name, { isJoined }]) => (isJoined ? [name] : []))

export const dataOf = (socket: GatewaySocket) => socket.data as SocketData
