import type { Socket } from "socket.io"
import { type OnError, RealtimeError } from "../../errors.ts"
import { provider } from "./mapping.ts"
import type { GatewayServer } from "./membership.ts"

const sweepIntervalMs = 1_000

type Connection = Socket["conn"]

/** The part of `ws` that Engine.IO's WebSocket transport holds. */
interface WebSocketOf {
  socket?: { bufferedAmount: number; terminate(): void }
}

/** Bytes that wait for a connection to read; past `enough` no more is counted. */
export function waitingBytes(connection: Connection, enough = Number.POSITIVE_INFINITY): number {
  const { writeBuffer } = connection as unknown as { writeBuffer: readonly { data?: string | Buffer }[] }
  let bytes = (connection.transport as WebSocketOf).socket?.bufferedAmount ?? 0
  for (const { data } of writeBuffer) {
    if (bytes > enough) break
    bytes += data?.length ?? 0
  }
  return bytes
}

/** Whoever doesn't read would not read a farewell. */
function endAtOnce(connection: Connection): void {
  const { socket } = connection.transport as WebSocketOf
  if (socket) socket.terminate()
  else connection.close(true)
}

/** Ends, until `stop`, each connection for which more than `maxBytes` wait. */
export function endSlowConnections(io: GatewayServer, maxBytes: number, onError: OnError) {
  let ended = 0
  const timer = setInterval(() => {
    for (const socket of io.sockets.sockets.values()) {
      const bytes = waitingBytes(socket.conn)
      if (bytes <= maxBytes) continue
      ended += 1
      const message = `a connection was ended; ${bytes} bytes waited for it to read`
      const error = new RealtimeError("rate-limited", { provider, message, retryable: true })
      onError(error, { stage: "deliver", connection: socket.id })
      endAtOnce(socket.conn)
    }
  }, sweepIntervalMs).unref()
  return {
    /** How many were ended. */
    get ended() {
      return ended
    },
    stop: () => clearInterval(timer),
  }
}
