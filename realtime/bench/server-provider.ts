import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { setTimeout as delay } from "node:timers/promises"
import { Server } from "socket.io"
import { startAblyEmulator } from "throughline-emulators/ably"
import { startPusherEmulator } from "throughline-emulators/pusher"
import { createAblyPublisher } from "../providers/ably/server.ts"
import { createPusherPublisher } from "../providers/pusher/server.ts"
import { attachGateway, createBroadcaster } from "../providers/socketio/gateway.ts"
import { answerHandlers } from "../testing/answer-handlers.ts"
import { contractChannels, createContractRealtime } from "../testing/transport-contract/backend.ts"
import { answerMeter } from "./meter.ts"

/**
 * A provider with an application's server before it. `POST /publish?count&rate` publishes so
 * many, each with the moment it left.
 */
const http = createServer()
const address = () => `http://127.0.0.1:${(http.address() as AddressInfo).port}`
const publishers = {
  async socketio() {
    const broadcaster = createBroadcaster({
      io: new Server(http, { serveClient: false }),
      secret: "a secret of this benchmark",
    })
    setImmediate(() => attachGateway({ broadcaster, core: realtime.core }))
    const clientConfig = () => ({ ...broadcaster.publisher.clientConfig(), url: address() })
    return { ...broadcaster.publisher, clientConfig }
  },
  async pusher() {
    const { appId, key, secret, host, port } = (await startPusherEmulator()).serverOptions()
    return createPusherPublisher({
      ...{ appId, key, secret, host },
      ...{ cluster: "mt1", port: Number(port), tls: false },
    })
  },
  async ably() {
    const unlimited = { maxInboundRate: Number.POSITIVE_INFINITY, maxChannelRate: Number.POSITIVE_INFINITY }
    const emulator = await startAblyEmulator({ limits: unlimited })
    return createAblyPublisher({ apiKey: emulator.key, ...emulator.clientOptions })
  },
}
const publisher = await publishers[process.argv[2] as keyof typeof publishers]()
const realtime = createContractRealtime({ publishers: [publisher] })
const room = contractChannels.room({ room: "bench" })

async function publish(count: number, rate: number): Promise<void> {
  const started = performance.now()
  const sent: Promise<unknown>[] = []
  for (let n = 0; n < count; n += 1) {
    const wait = started + (n * 1000) / rate - performance.now()
    if (wait > 1) await delay(wait)
    const at = performance.timeOrigin + performance.now()
    sent.push(realtime.publish(room, "said", { text: `${at} ${"x".repeat(90)}` }))
  }
  await Promise.all(sent)
}

http.on("request", async (request, response) => {
  const url = new URL(request.url ?? "", "http://bench.test")
  if (url.pathname === "/publish") {
    await publish(Number(url.searchParams.get("count")), Number(url.searchParams.get("rate")))
    response.end("{}")
  } else if (url.pathname.startsWith("/api/"))
    await answerHandlers(realtime.handlers, request, response, {
      "x-contract-user": encodeURIComponent('{"id":"bench"}'),
    })
})
http.listen(0, "127.0.0.1", () => {
  answerMeter({ url: address(), token: "" })
})
