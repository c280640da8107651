import type { Socket as TcpSocket } from "node:net"
import type { Socket } from "socket.io-client"

/**
 * Tests: the TCP connection below a Socket.IO client that came by WebSocket;
 * `pause()` makes it one that doesn't read.
 */
export function wireOf(client: Socket): TcpSocket {
  return (client.io.engine.transport as unknown as { ws: { _socket: TcpSocket } }).ws._socket
}
