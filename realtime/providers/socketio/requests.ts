import type { Socket } from "socket.io-client"
import { RealtimeError } from "../../errors.ts"
import { type ClientEvents, fromAnswer, provider, type ServerEvents } from "./mapping.ts"

export type GatewaySocket = Socket<ServerEvents, ClientEvents>

/** One request, answered by the gateway. Rejects with its error, or `not-connected`, or `timeout`. */
export type Request = (event: keyof ClientEvents, ...args: unknown[]) => Promise<Record<string, unknown>>

/** Browser: what is asked of the gateway, while there is a connection. */
export function createRequest(socket: GatewaySocket, timeoutMs: number): Request {
  return async (event, ...args) => {
    if (!socket.connected) throw notConnected()
    const connection = socket.id
    let answer: unknown
    try {
      answer = await (socket as Socket).emitWithAck(event, ...args)
    } catch (cause) {
      if (!socket.connected) throw notConnected()
      const message = `unable to ${event}; there was no answer in ${timeoutMs} ms`
      throw new RealtimeError("timeout", { provider, message, cause })
    }
    try {
      return fromAnswer(answer)
    } catch (error) {
      // What is sent while pings are overdue, as after a sleep, Socket.IO keeps for the next connection, and
      // sends there before all else. What is refused by it wasn't meant for it.
      throw socket.id === connection ? error : notConnected()
    }
  }
}

const notConnected = () =>
  new RealtimeError("not-connected", { provider, message: "unable to send; there is no connection" })
