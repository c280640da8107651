import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { setTimeout as delay } from "node:timers/promises"
import { Server } from "socket.io"
import { createMemoryLog } from "../log/memory.ts"
import { attachGateway, createBroadcaster } from "../providers/socketio/gateway.ts"
import { createRealtime } from "../server/create-realtime.ts"
import { answerHandlers } from "../testing/answer-handlers.ts"
import { answerMeter } from "./meter.ts"
import { bench, keys, market } from "./state-channel.ts"

/**
 * A gateway, and server code that changes every key so often a second, each value with so many bytes:
 * `POST /change?perSecond&seconds&bytes`. It answers with how often it did, and with the most bytes that
 * waited meanwhile for one connection.
 */
const http = createServer()
const address = () => `http://127.0.0.1:${(http.address() as AddressInfo).port}`
const io = new Server(http, { serveClient: false })
const broadcaster = createBroadcaster({ io, secret: "a secret of this benchmark" })
const clientConfig = () => ({ ...broadcaster.publisher.clientConfig(), url: address() })
const realtime = createRealtime({
  channels: { market },
  identify: () => ({ id: "bench" }),
  authorize: () => true,
  log: createMemoryLog(),
  publishers: [{ ...broadcaster.publisher, clientConfig }],
})
attachGateway({ broadcaster, core: realtime.core })

interface Connection {
  writeBuffer: readonly { data?: string | Buffer }[]
  transport: { socket?: { bufferedAmount: number } }
}

/** What this process keeps for a connection that doesn't read; the operating system keeps some before it. */
function waitingBytes({ conn }: { conn: unknown }): number {
  const { writeBuffer, transport } = conn as Connection
  const unsent = writeBuffer.reduce((sum, { data }) => sum + (data?.length ?? 0), 0)
  return unsent + (transport.socket?.bufferedAmount ?? 0)
}

async function change(perSecond: number, seconds: number, bytes: number) {
  const state = realtime.state(bench)
  const started = performance.now()
  let waited = 0
  const changes = perSecond * seconds
  for (let n = 1; n <= changes; n += 1) {
    const wait = started + (n * 1_000) / perSecond - performance.now()
    if (wait > 1) await delay(wait)
    const value = { n, at: Date.now(), depth: "x".repeat(bytes) }
    await Promise.all(keys.map((key) => state.set(key, value)))
    waited = Math.max(waited, ...[...io.sockets.sockets.values()].map(waitingBytes))
  }
  return { changes, waited }
}

http.on("request", async (request, response) => {
  const url = new URL(request.url ?? "", "http://bench.test")
  if (url.pathname === "/change") {
    const [perSecond, seconds, bytes] = ["perSecond", "seconds", "bytes"].map((name) =>
      Number(url.searchParams.get(name)),
    ) as [number, number, number]
    response.end(JSON.stringify(await change(perSecond, seconds, bytes)))
  } else if (url.pathname.startsWith("/api/")) await answerHandlers(realtime.handlers, request, response)
})
http.listen(0, "127.0.0.1", () => {
  answerMeter({ url: address(), token: broadcaster.tickets.issue({ id: "bench" }) })
})
