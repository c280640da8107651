import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { startAblyEmulator } from "throughline-emulators/ably"
import { startPusherEmulator } from "throughline-emulators/pusher"
import { WebSocketServer } from "ws"
import { answerMeter } from "./meter.ts"

/**
 * One of the emulators, its rates lifted; or the control: a relay with nothing but an HTTP server and `ws`.
 */
const started = {
  async pusher() {
    const emulator = await startPusherEmulator()
    return `http://${emulator.host}:${emulator.port}`
  },
  async ably() {
    const unlimited = { maxInboundRate: Number.POSITIVE_INFINITY, maxChannelRate: Number.POSITIVE_INFINITY }
    const apps = [{ id: "app", keys: [{ id: "key", secret: "secret" }] }]
    return (await startAblyEmulator({ apps, limits: unlimited })).url
  },
  async relay() {
    const subscribers = new Map<string, WebSocket>()
    const http = createServer((request, response) => {
      let body = ""
      request.on("data", (chunk) => {
        body += chunk
      })
      request.on("end", () => {
        const { batch } = JSON.parse(body) as { batch: { channel: string; data: string }[] }
        for (const event of batch) subscribers.get(event.channel)?.send(JSON.stringify(event))
        response.end("{}")
      })
    })
    new WebSocketServer({ server: http }).on("connection", (socket, request) => {
      subscribers.set((request.url ?? "").slice(1), socket as unknown as WebSocket)
      socket.on("message", (frame) => {
        const { channel, messages } = JSON.parse(String(frame)) as { channel: string; messages: object[] }
        for (const message of messages) subscribers.get(channel)?.send(JSON.stringify(message))
        socket.send("{}")
      })
      socket.send("{}")
    })
    await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve))
    return `http://127.0.0.1:${(http.address() as AddressInfo).port}`
  },
}

answerMeter({ url: await started[process.argv[2] as keyof typeof started](), token: "" })
