import { type ClientOptions, Realtime } from "ably"
import { type AblyEmulator, startAblyEmulator } from "throughline-emulators/ably"
import { createAblyTransport } from "../providers/ably/client.ts"
import { messagesChannel, messagesEvent, signalsChannel, toAblyData } from "../providers/ably/mapping.ts"
import { type AblyPublisherOptions, createAblyPublisher } from "../providers/ably/server.ts"
import type { RealtimeTransport } from "../transport.ts"
import {
  type ContractBackend,
  createContractHttp,
  createContractRealtime,
} from "./transport-contract/backend.ts"

/** Ably, or what stands for it, running, and what can be done to it. */
export interface AblyService {
  /** As the environment would say it; without an endpoint it is Ably's own. */
  options: AblyPublisherOptions
  dropConnections(): void | Promise<void>
  startOutage(): Promise<() => void | Promise<void>>
  close(): void | Promise<void>
}

/** Ably on the emulator, over real sockets and HTTP, with the official SDK on both sides. */
export async function startAblyBackend(): Promise<ContractBackend & { emulator: AblyEmulator }> {
  const emulator = await startAblyEmulator({
    apps: [{ keys: [{ revocableTokens: true }] }],
    // Ably waits for 15 s.
    limits: { presenceLeaveDelay: 500 },
  })
  const { endpoint, port, tls } = emulator.clientOptions
  const backend = createAblyBackend({
    options: { apiKey: emulator.key, endpoint, port, tls },
    ...faultsOf(emulator),
    close: () => emulator.close(),
  })
  return { ...backend, emulator }
}

/** What the contract does to a service, as the emulator does it, whatever it is mounted on. */
export function faultsOf(emulator: Pick<AblyEmulator, "dropConnections" | "faults">) {
  return {
    dropConnections: () => void emulator.dropConnections(),
    async startOutage() {
      const outage = emulator.faults.add({ fault: "refuse-connection", code: 50003, statusCode: 503 })
      emulator.dropConnections()
      return () => void emulator.faults.remove(outage.id)
    },
  }
}

/** Our provider on Ably, wherever that is. */
export function createAblyBackend(service: AblyService): ContractBackend {
  const { endpoint, port, tls = true } = service.options
  const publisher = createAblyPublisher(service.options)
  const realtime = createContractRealtime({ publishers: [publisher] })
  const transports: RealtimeTransport[] = []

  function createTransport(user: { id: string; name?: string } | null): RealtimeTransport {
    const http = createContractHttp(realtime, user)
    const transport = createAblyTransport({
      config: publisher.clientConfig(),
      credentials: (body) => http.credentials("ably", body),
      onError: () => {},
      retryMs: 50,
    })
    transports.push(transport)
    return transport
  }

  return {
    realtime,
    createTransport: (user) => createTransport(user),
    createRefusedTransport: () => createTransport(null),
    async forge(user, message) {
      const http = createContractHttp(realtime, user)
      const { token } = (await http.credentials("ably", { channels: [message.channel] })) as { token: string }
      const client = new Realtime({
        token,
        useBinaryProtocol: false,
        ...(endpoint && { endpoint, tls, disableConnectivityCheck: true }),
        ...(port !== undefined && (tls ? { tlsPort: port } : { port })),
        logLevel: 0,
      } as ClientOptions)
      const data = toAblyData([message])
      for (const name of [messagesChannel(message.channel), signalsChannel(message.channel)]) {
        const overRest = client.request(
          "post",
          `/channels/${encodeURIComponent(name)}/messages`,
          6,
          {},
          { name: messagesEvent, data },
        )
        // One of the two channels may be published to; the other refuses.
        await Promise.allSettled([client.channels.get(name).publish(messagesEvent, data), overRest])
      }
      client.close()
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
