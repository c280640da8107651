import { createServer } from "node:http"
import type { AddressInfo, Socket } from "node:net"
import * as Ably from "ably"
import Pusher from "pusher"
import PusherJs from "pusher-js"
import { Server } from "socket.io"
import { io as connectSocket } from "socket.io-client"
import { startAblyEmulator } from "throughline-emulators/ably"
import { startPusherEmulator } from "throughline-emulators/pusher"
import type { RealtimeHttp } from "../../client/http.ts"
import { createAblyTransport } from "../../providers/ably/client.ts"
import { createAblyPublisher } from "../../providers/ably/server.ts"
import { createPusherTransport } from "../../providers/pusher/client.ts"
import { createPusherPublisher } from "../../providers/pusher/server.ts"
import { createSocketIoTransport } from "../../providers/socketio/client.ts"
import { attachGateway, createBroadcaster } from "../../providers/socketio/gateway.ts"
import type { RealtimePublisher } from "../../publisher.ts"
import type { RealtimeCore } from "../../server/types.ts"
import type { RealtimeTransport } from "../../transport.ts"

/**
 * A provider's service as several of them are put under one server: real sockets, the
 * official SDKs, faults on demand.
 */
export interface Service extends AsyncDisposable {
  readonly provider: string
  readonly publisher: RealtimePublisher
  /** The gateway needs the server that it belongs to; the others don't. */
  attach(core: RealtimeCore): void
  /** A transport that asks this person's server for permission. */
  createTransport(http: RealtimeHttp): RealtimeTransport
  dropConnections(): void
  /** Nobody connects, and nobody is connected, until it is ended. */
  startOutage(): () => void
  /** Some deliveries get lost, come twice, late or in another order, until it is ended. */
  startDisturbance(): () => void
  /** The service takes nothing from the server, until it is ended. */
  startRefusals(): () => void
  /** The vendor's SDKs on the same service, without us: what the head-to-head compares with. */
  readonly bare: Bare
}

export interface Bare {
  /** Resolves when the SDK says that the service has taken it. */
  publish(n: number): Promise<unknown>
  /** As the vendor's guide does it, with whatever recovery it has. */
  open(onMessage: (n: number) => void): { close(): void }
}

export const serviceNames = ["socketio", "pusher", "ably"] as const
export type ServiceName = (typeof serviceNames)[number]

const onError = () => {}
/** How often each kind of disturbance strikes. */
const probability = 0.25

export const startService: Record<ServiceName, (seed: number) => Promise<Service>> = {
  async socketio() {
    const http = createServer()
    const io = new Server(http, { serveClient: false })
    // Another path for the bare server: its recovery would hand the gateway's
    // sockets what they read from the log.
    const bareIo = new Server(http, { serveClient: false, path: "/bare", connectionStateRecovery: {} })
    const broadcaster = createBroadcaster({ io, secret: "a secret of this test" })
    const sockets = new Set<Socket>()
    let isDown = false
    let isRefusing = false
    http.on("connection", (socket) => {
      if (isDown) socket.destroy()
      else sockets.add(socket.on("close", () => sockets.delete(socket)))
    })
    await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve))
    const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`
    const dropConnections = () => {
      for (const socket of sockets) socket.destroy()
    }
    return {
      provider: "socketio",
      publisher: {
        ...broadcaster.publisher,
        publish: (messages) =>
          isRefusing ? Promise.reject(new Error("refused")) : broadcaster.publisher.publish(messages),
      },
      attach: (core) => attachGateway({ broadcaster, core, onError }),
      createTransport: (app) =>
        createSocketIoTransport({
          config: { provider: "socketio", url },
          credentials: (body) => app.credentials("socketio", body),
          onError,
          firstPauseMs: 10,
          maxPauseMs: 40,
          suspendAfterMs: 500,
        }),
      dropConnections,
      startOutage() {
        isDown = true
        dropConnections()
        return () => {
          isDown = false
        }
      },
      // Its own wire keeps order and loses nothing while it holds: cut again and again.
      startDisturbance() {
        const timer = setInterval(dropConnections, 150)
        return () => clearInterval(timer)
      },
      startRefusals() {
        isRefusing = true
        return () => {
          isRefusing = false
        }
      },
      bare: {
        async publish(n) {
          if (isRefusing) throw new Error("refused")
          bareIo.emit("message", n)
        },
        open(onMessage) {
          const socket = connectSocket(url, {
            ...{ path: "/bare", transports: ["websocket"], forceNew: true },
            ...{ reconnectionDelay: 10, reconnectionDelayMax: 40 },
          })
          socket.on("message", onMessage)
          return { close: () => socket.disconnect() }
        },
      },
      async [Symbol.asyncDispose]() {
        // A page that left in the middle of its handshake keeps its socket half open,
        // which Engine.IO finds after 25 s.
        dropConnections()
        await bareIo.close()
        await io.close()
      },
    }
  },

  async pusher(seed) {
    const emulator = await startPusherEmulator({ seed })
    const { appId, key, secret, host, port } = emulator.serverOptions()
    const publisher = createPusherPublisher({
      ...{ appId, key, secret, host },
      ...{ cluster: "mt1", port: Number(port), tls: false },
    })
    const library = new Pusher(emulator.serverOptions())
    const inject = (...faults: Parameters<typeof emulator.faults.inject>[0][]) => {
      const active = faults.map((fault) => emulator.faults.inject(fault))
      return () => {
        for (const fault of active) fault.remove()
      }
    }
    const onMessages = { event: "messages", direction: "to-client", probability } as const
    return {
      provider: "pusher",
      publisher,
      attach() {},
      createTransport: (app) =>
        createPusherTransport({
          config: publisher.clientConfig(),
          credentials: (body) => app.credentials("pusher", body),
          onError,
          retryMs: 10,
          unavailableTimeoutMs: 500,
        }),
      dropConnections: () => void emulator.dropConnections(),
      startOutage() {
        const end = inject({ kind: "cut", on: "connect" })
        emulator.dropConnections()
        return end
      },
      startDisturbance: () =>
        inject(
          { kind: "drop", ...onMessages },
          { kind: "duplicate", ...onMessages },
          { kind: "delay", delayMs: 30, ...onMessages },
          { kind: "reorder", ...onMessages },
        ),
      startRefusals: () => inject({ kind: "http-refuse", status: 503 }),
      bare: {
        publish: (n) => library.trigger("bare", "messages", { n }),
        open(onMessage) {
          const client = new PusherJs(key, { ...emulator.clientOptions(), unavailableTimeout: 500 })
          client.subscribe("bare").bind("messages", ({ n }: { n: number }) => onMessage(n))
          return { close: () => client.disconnect() }
        },
      },
      [Symbol.asyncDispose]: () => emulator.close(),
    }
  },

  async ably(seed) {
    const emulator = await startAblyEmulator({ seed, apps: [{ keys: [{ revocableTokens: true }] }] })
    const { endpoint, port, tls } = emulator.clientOptions
    const publisher = createAblyPublisher({ apiKey: emulator.key, endpoint, port, tls })
    const options = { ...emulator.clientOptions, logLevel: 0 as const }
    const rest = new Ably.Rest({ ...options, key: emulator.key })
    const add = (...rules: Parameters<typeof emulator.faults.add>[0][]) => {
      const active = rules.map((rule) => emulator.faults.add(rule))
      return () => {
        for (const { id } of active) emulator.faults.remove(id)
      }
    }
    const onMessages = { match: { direction: "outbound", action: "MESSAGE" }, probability } as const
    return {
      provider: "ably",
      publisher,
      attach() {},
      createTransport: (app) =>
        createAblyTransport({
          config: publisher.clientConfig(),
          credentials: (body) => app.credentials("ably", body),
          onError,
          retryMs: 50,
        }),
      dropConnections: () => void emulator.dropConnections(),
      startOutage() {
        const end = add({ fault: "refuse-connection", code: 50003, statusCode: 503 })
        emulator.dropConnections()
        return end
      },
      startDisturbance: () =>
        add(
          { fault: "drop", ...onMessages },
          { fault: "duplicate", ...onMessages },
          { fault: "delay", delayMs: 30, ...onMessages },
          { fault: "reorder", ...onMessages },
        ),
      startRefusals: () => add({ fault: "refuse", statusCode: 503, code: 50003, match: { method: "POST" } }),
      bare: {
        publish: (n) => rest.channels.get("bare").publish("messages", { n }),
        open(onMessage) {
          const client = new Ably.Realtime({
            ...options,
            ...{ key: emulator.key, disconnectedRetryTimeout: 50, suspendedRetryTimeout: 50 },
          })
          client.channels
            .get("bare")
            .subscribe("messages", ({ data }) => onMessage((data as { n: number }).n))
            .catch(onError)
          return { close: () => client.close() }
        },
      },
      [Symbol.asyncDispose]: () => emulator.close(),
    }
  },
}
