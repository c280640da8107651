import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { Server } from "socket.io"
import { createContractRealtime } from "throughline/testing"
import type { MemoryLogStore } from "../log/memory.ts"
import { attachGateway, connectRedisCluster, createBroadcaster } from "../providers/socketio/gateway.ts"

export interface GatewayOverRedisOptions {
  redisUrl: string
  store: MemoryLogStore
  streamName: string
}

/** A gateway as a process of its own would be: nothing is shared but the log and Redis. */
export async function startGateway({ redisUrl, store, streamName }: GatewayOverRedisOptions) {
  const http = createServer()
  const io = new Server(http, { serveClient: false })
  const told: string[] = []
  const onError = (error: unknown) => void told.push(String(error))
  const bus = await connectRedisCluster({ io, url: redisUrl, streamName, onError })
  const broadcaster = createBroadcaster({ io, secret: "a secret of this test", bus, heartbeatMs: 200 })
  const realtime = createContractRealtime({ publishers: [broadcaster.publisher], store, onError })
  const gateway = attachGateway({ broadcaster, core: realtime.core, doubtIntervalMs: 100, onError })
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve))
  return {
    ...{ http, realtime, broadcaster, bus, told },
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    /** As a process does that is killed: nothing is said to anybody any more. */
    kill() {
      gateway.stop()
      bus.post = () => Promise.reject(new Error("killed"))
      void bus.close()
      http.closeAllConnections()
      http.close()
    },
    async close() {
      gateway.stop()
      await io.close()
      await realtime.close()
    },
  }
}
