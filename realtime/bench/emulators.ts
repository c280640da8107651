import { Agent, request } from "node:http"
import Pusher from "pusher"
import { WebSocket } from "ws"
import { arrival } from "./arrival.ts"
import { startMetered } from "./meter.ts"

/** Messages in one request or frame, as many as Pusher takes. */
const batchSize = 10
const connections = 1_000
const text = "x".repeat(100)

type Publish = (channel: string) => Promise<unknown>

/**
 * How one service is spoken to, by bare sockets and requests: an SDK in the load
 * generator would be what is measured.
 */
interface Service {
  server: "pusher" | "ably" | "relay"
  /**
   * Resolves with the socket when it receives what is published to the channel;
   * `onMessages` is told how many came.
   */
  subscribe(url: string, channel: string, onMessages: (count: number) => void): Promise<WebSocket>
  publisher(url: string): Promise<Publish>
}

const open = (url: string) => new WebSocket(url.replace("http", "ws"), { perMessageDeflate: false })

/** Resolves with the first frame that has the words. */
function frameWith(socket: WebSocket, words: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const look = (data: Buffer) => {
      const frame = data.toString("latin1")
      if (!frame.includes(words)) return
      socket.off("message", look)
      resolve(frame)
    }
    socket.on("message", look)
    socket.once("error", reject)
  })
}

const countOf = (frame: string) => frame.split(text).length - 1
const batchOf = (channel: string) =>
  Array.from({ length: batchSize }, () => ({ channel, name: "m", data: text }))

const agent = new Agent({ keepAlive: true, maxSockets: 50 })

function post(url: string, body: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) }
    const sent = request(url, { method: "POST", agent, headers }, (response) => {
      response.resume()
      response.on("end", () =>
        response.statusCode === 200 ? resolve() : reject(new Error(`answered ${response.statusCode}`)),
      )
    })
    sent.on("error", reject)
    sent.end(body)
  })
}

const pusher: Service = {
  server: "pusher",
  async subscribe(url, channel, onMessages) {
    const socket = open(`${url}/app/app-key?protocol=7`)
    await frameWith(socket, "connection_established")
    const subscribed = frameWith(socket, "subscription_succeeded")
    socket.send(JSON.stringify({ event: "pusher:subscribe", data: { channel } }))
    await subscribed
    socket.on("message", (data: Buffer) => onMessages(countOf(data.toString("latin1"))))
    return socket
  },
  async publisher(url) {
    const signer = new Pusher({ appId: "1", key: "app-key", secret: "app-secret", host: "unused" })
    return (channel) => {
      const body = JSON.stringify({ batch: batchOf(channel) })
      const path = "/apps/1/batch_events"
      return post(`${url}${path}?${signer.createSignedQueryString({ method: "POST", path, body })}`, body)
    }
  },
}

const ably: Service = {
  server: "ably",
  async subscribe(url, channel, onMessages) {
    const socket = open(`${url}/?key=app.key:secret&format=json&v=6`)
    await frameWith(socket, '"action":4')
    const attached = frameWith(socket, '"action":11')
    socket.send(JSON.stringify({ action: 10, channel }))
    await attached
    socket.on("message", (data: Buffer) => onMessages(countOf(data.toString("latin1"))))
    return socket
  },
  async publisher(url) {
    const socket = open(`${url}/?key=app.key:secret&format=json&v=6`)
    await frameWith(socket, '"action":4')
    const waiting: (() => void)[] = []
    socket.on("message", (data: Buffer) => {
      const { action, count = 0 } = JSON.parse(data.toString()) as { action: number; count?: number }
      if (action === 1) for (const done of waiting.splice(0, count)) done()
    })
    let msgSerial = 0
    return (channel) => {
      const messages = Array.from({ length: batchSize }, () => ({ name: "m", data: text }))
      socket.send(JSON.stringify({ action: 15, channel, msgSerial: msgSerial++, messages }))
      return new Promise<void>((resolve) => waiting.push(resolve))
    }
  },
}

/** The same frames and requests through a server that only passes them on. */
const relayedBy = (way: "HTTP" | "WebSocket"): Service => ({
  server: "relay",
  async subscribe(url, channel, onMessages) {
    const socket = open(`${url}/${channel}`)
    await frameWith(socket, "{}")
    socket.on("message", (data: Buffer) => onMessages(countOf(data.toString("latin1"))))
    return socket
  },
  async publisher(url) {
    if (way === "HTTP") return (channel) => post(url, JSON.stringify({ batch: batchOf(channel) }))
    const socket = open(`${url}/publisher`)
    await frameWith(socket, "{}")
    const waiting: (() => void)[] = []
    socket.on("message", () => waiting.shift()?.())
    return (channel) => {
      socket.send(JSON.stringify({ channel, messages: batchOf(channel) }))
      return new Promise<void>((resolve) => waiting.push(resolve))
    }
  },
})

/**
 * Messages a second, published and arrived, with a thousand connections open; each has a channel of its own.
 */
async function measure(service: Service, messages: number): Promise<number> {
  await using server = await startMetered("server-emulator.ts", [service.server])
  let arrived = 0
  const sockets: WebSocket[] = []
  for (let from = 0; from < connections; from += 50) {
    const some = Array.from({ length: 50 }, (_, index) =>
      service.subscribe(server.url, `channel-${from + index}`, (count) => {
        arrived += count
      }),
    )
    sockets.push(...(await Promise.all(some)))
  }
  const publish = await service.publisher(server.url)
  let published = 0
  const lane = async () => {
    while (published < messages) {
      published += batchSize
      await publish(`channel-${(published / batchSize) % connections}`)
    }
  }
  const started = performance.now()
  await Promise.all(Array.from({ length: 20 }, lane))
  const { missing, lastAt } = await arrival(() => arrived, published)
  if (missing > 0) throw new Error(`${missing} of ${published} messages never came`)
  const seconds = (lastAt - started) / 1000
  const closed = sockets.filter(({ readyState }) => readyState !== WebSocket.OPEN).length
  if (closed > 0) throw new Error(`${closed} connections were lost`)
  for (const socket of sockets) socket.terminate()
  return published / seconds
}

/** Each emulator beside a relay that is spoken to in the same way. */
export const emulators = [
  { name: "Pusher's emulator", ours: pusher, control: relayedBy("HTTP"), against: "bare HTTP and ws" },
  { name: "Ably's emulator", ours: ably, control: relayedBy("WebSocket"), against: "bare ws" },
].map(({ name, ours, control, against }) => ({
  scenario: `${name}, ${connections.toLocaleString("en")} connections, saturated`,
  against,
  ours: () => measure(ours, 50_000),
  control: () => measure(control, 50_000),
}))
