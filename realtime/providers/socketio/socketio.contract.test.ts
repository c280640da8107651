import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { Server } from "socket.io"
import { createContractRealtime, describeTransportContract } from "#realtime/testing"
import { createSocketIoBackend } from "../../testing/socketio-backend.ts"
import { attachGateway, createBroadcaster } from "./gateway.ts"

describeTransportContract({
  name: "socketio, gateway",
  async start() {
    const http = createServer()
    const io = new Server(http, { serveClient: false })
    const broadcaster = createBroadcaster({ io, secret: "a secret of this test" })
    const realtime = createContractRealtime({ publishers: [broadcaster.publisher] })
    attachGateway({ broadcaster, core: realtime.core })
    await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve))
    return createSocketIoBackend({
      url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
      http,
      realtime,
      async close() {
        await io.close()
        await realtime.close()
      },
    })
  },
})
