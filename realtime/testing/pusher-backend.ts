import Pusher from "pusher-js"
import {
  type PusherAppSettings,
  type PusherEmulator,
  type PusherServer,
  startPusherEmulator,
} from "throughline-emulators/pusher"
import { createPusherTransport } from "../providers/pusher/client.ts"
import { messagesChannel } from "../providers/pusher/mapping.ts"
import { createPusherPublisher, type PusherPublisherOptions } from "../providers/pusher/server.ts"
import type { RealtimeTransport } from "../transport.ts"
import {
  type ContractBackend,
  createContractHttp,
  createContractRealtime,
} from "./transport-contract/backend.ts"

/**
 * Whatever it is told, pusher-js waits for a second after a cut before it connects again. Dozens of checks
 * cut connections: here it waits for a hundredth of that, by the same way. The one made for this connects to
 * nothing. The browser's tests wait for the real second.
 */
function hurry(): void {
  const { connection } = new Pusher("none", { cluster: "none", enabledTransports: [] })
  const manager = Object.getPrototypeOf(connection) as { retryIn(ms: number): void }
  const { retryIn } = manager
  manager.retryIn = function (ms) {
    retryIn.call(this, ms / 100)
  }
}
hurry()

/** A server of Pusher's protocol, running, and what can be done to it. */
export interface PusherService {
  /** As the environment would say it; without a host it is Pusher's own. */
  options: PusherPublisherOptions
  dropConnections(): void | Promise<void>
  startOutage(): Promise<() => void | Promise<void>>
  close(): Promise<void>
  /**
   * Where an outage is the publisher's, too: how long what is published meanwhile waits before it is taken.
   */
  deliveryTimeoutMs?: number
}

/**
 * Pusher on the emulator, over real sockets and HTTP, with both official SDKs. It refuses as is known of the
 * hosted service, on the connection, unless told.
 */
export async function startPusherBackend(
  settings: Partial<PusherAppSettings> = {},
): Promise<ContractBackend & { emulator: PusherServer }> {
  const app: PusherAppSettings = {
    id: "1",
    key: "app-key",
    secret: "app-secret",
    subscriptionErrors: "pusher:error",
    ...settings,
  }
  const emulator = await startPusherEmulator({ apps: [app] })
  const { appId, key, secret, host, port } = emulator.serverOptions()
  const backend = createPusherBackend({
    options: { appId, key, secret, cluster: "mt1", host, port: Number(port), tls: false },
    ...faultsOf(emulator),
    close: () => emulator.close(),
  })
  return { ...backend, emulator }
}

/** What the contract does to a service, as the emulator does it, whatever it is mounted on. */
export function faultsOf(emulator: Pick<PusherEmulator, "dropConnections" | "faults">) {
  return {
    dropConnections: () => void emulator.dropConnections(),
    async startOutage() {
      const outage = emulator.faults.inject({ kind: "cut", on: "connect" })
      emulator.dropConnections()
      return () => outage.remove()
    },
  }
}

/** Our provider on any server of Pusher's protocol. */
export function createPusherBackend({
  options,
  deliveryTimeoutMs,
  ...service
}: PusherService): ContractBackend {
  const { key, cluster, host, port, tls = true } = options
  const publisher = createPusherPublisher(options)
  const realtime = createContractRealtime({
    publishers: [publisher],
    ...(deliveryTimeoutMs !== undefined && { deliveryTimeoutMs }),
  })
  const transports: RealtimeTransport[] = []

  function createTransport(user: { id: string; name?: string }, change: Record<string, string> = {}) {
    const http = createContractHttp(realtime, user)
    const transport = createPusherTransport({
      config: { ...publisher.clientConfig(), ...change },
      credentials: (body) => http.credentials("pusher", body),
      onError: () => {},
      retryMs: 10,
      unavailableTimeoutMs: 500,
    })
    transports.push(transport)
    return transport
  }

  return {
    realtime,
    createTransport: (user) => createTransport(user),
    createRefusedTransport: () => createTransport({ id: "nobody" }, { key: "unknown" }),
    async forge(user, message) {
      const http = createContractHttp(realtime, user)
      const pusher = new Pusher(key, {
        cluster,
        forceTLS: tls,
        enabledTransports: tls ? ["ws", "wss"] : ["ws"],
        ...(host !== undefined && { wsHost: host }),
        ...(port !== undefined && { wsPort: port, wssPort: port }),
        channelAuthorization: {
          transport: "ajax",
          endpoint: "",
          customHandler: ({ socketId }, callback) => {
            http.credentials("pusher", { socketId, channel: message.channel, kind: "messages" }).then(
              (signature) => callback(null, signature as never),
              (error) => callback(error, null),
            )
          },
        },
      })
      const channel = pusher.subscribe(messagesChannel(message.channel))
      await new Promise((resolve) => channel.bind("pusher:subscription_succeeded", () => resolve(null)))
      channel.trigger("client-messages", [message])
      // Past the SDK's own checks, and in the service's own name.
      for (const event of ["messages", "client-messages", "pusher_internal:messages"]) {
        pusher.send_event(event, [message], channel.name)
        pusher.send_event(event, JSON.stringify([message]), channel.name)
      }
      // Answered in order: this answer says that all before it was read.
      const other = pusher.subscribe("public")
      await new Promise((resolve) => other.bind("pusher:subscription_succeeded", () => resolve(null)))
      pusher.disconnect()
    },
    dropConnections: () => service.dropConnections(),
    startOutage: () => service.startOutage(),
    async [Symbol.asyncDispose]() {
      await Promise.all(transports.map((transport) => transport.close()))
      await realtime.close()
      await service.close()
    },
  }
}
