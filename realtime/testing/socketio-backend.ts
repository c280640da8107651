import { createServer, type Server } from "node:http"
import type { AddressInfo, Socket } from "node:net"
import { Server as SocketIoServer } from "socket.io"
import { io } from "socket.io-client"
import { createSocketIoTransport } from "../providers/socketio/client.ts"
import { attachGateway, createBroadcaster } from "../providers/socketio/gateway.ts"
import type { RealtimeTransport } from "../transport.ts"
import {
  type ContractBackend,
  type ContractRealtime,
  createContractHttp,
  createContractRealtime,
} from "./transport-contract/backend.ts"

export interface SocketIoBackendOptions {
  /** Where the gateway listens. */
  url: string
  http: Server
  /** More gateways of the same cluster: connections go to all in turn. */
  others?: readonly { url: string; http: Server }[]
  /** The realtime layer that server code uses; in a split layout, not the gateway's own. */
  realtime: ContractRealtime
  close(): Promise<void>
}

/** One gateway on a port of its own, as the contract needs it. */
export async function startSocketIoBackend(): Promise<ContractBackend> {
  const http = createServer()
  const server = new SocketIoServer(http, { serveClient: false })
  const broadcaster = createBroadcaster({ io: server, secret: "a secret of this test" })
  const realtime = createContractRealtime({ publishers: [broadcaster.publisher] })
  attachGateway({ broadcaster, core: realtime.core })
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve))
  const { port } = http.address() as AddressInfo
  async function close(): Promise<void> {
    await server.close()
    await realtime.close()
  }
  return createSocketIoBackend({ url: `http://127.0.0.1:${port}`, http, realtime, close })
}

/**
 * A running gateway, as the contract needs it: faults are made on its TCP
 * connections, as a network makes them.
 */
export function createSocketIoBackend({
  url,
  http,
  others = [],
  realtime,
  close,
}: SocketIoBackendOptions): ContractBackend {
  const urls = [url, ...others.map((other) => other.url)]
  const sockets = new Set<Socket>()
  const transports: RealtimeTransport[] = []
  let isDown = false
  for (const server of [http, ...others.map((other) => other.http)]) {
    server.on("connection", (socket) => {
      if (isDown) {
        socket.destroy()
        return
      }
      sockets.add(socket)
      socket.on("close", () => sockets.delete(socket))
    })
  }

  function createTransport(
    credentials: (body: Record<string, unknown>) => Promise<unknown>,
  ): RealtimeTransport {
    const transport = createSocketIoTransport({
      config: { provider: "socketio", url: urls[transports.length % urls.length] ?? url },
      credentials,
      onError: () => {},
      firstPauseMs: 10,
      maxPauseMs: 40,
    })
    transports.push(transport)
    return transport
  }

  const dropConnections = () => {
    for (const socket of sockets) socket.destroy()
  }

  return {
    realtime,
    createTransport: (user) => {
      const app = createContractHttp(realtime, user)
      return createTransport((body) => app.credentials("socketio", body))
    },
    createRefusedTransport() {
      const app = createContractHttp(realtime, null)
      return createTransport((body) => app.credentials("socketio", body))
    },
    async forge(user, message) {
      const app = createContractHttp(realtime, user)
      const { ticket } = (await app.credentials("socketio", {})) as { ticket: string }
      const socket = io(url, {
        auth: { ticket },
        transports: ["websocket"],
        forceNew: true,
        reconnection: false,
      })
      await new Promise((resolve) => socket.on("connect", () => resolve(null)))
      await socket.emitWithAck("subscribe", message.channel, null)
      for (const event of ["messages", "message", "broadcast"]) {
        await socket.emitWithAck(event, [message])
        await socket.emitWithAck(event, message.channel, [message])
      }
      socket.disconnect()
    },
    dropConnections,
    async startOutage() {
      isDown = true
      dropConnections()
      return () => {
        isDown = false
      }
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(transports.map((transport) => transport.close()))
      // One that left in the middle of its handshake keeps its socket half open,
      // which Engine.IO finds after 25 s.
      dropConnections()
      await close()
    },
  }
}
