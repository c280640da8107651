import { Realtime } from "ably"
import { startAblyEmulator } from "../emulators/ably/index.ts"
import { createAblyTransport } from "../providers/ably/client.ts"
import { messagesChannel, messagesEvent, signalsChannel, toAblyData } from "../providers/ably/mapping.ts"
import { createAblyPublisher } from "../providers/ably/server.ts"
import type { RealtimeTransport } from "../transport.ts"
import {
  type ContractBackend,
  createContractHttp,
  createContractRealtime,
} from "./transport-contract/backend.ts"

/** Ably on the emulator, over real sockets and HTTP, with the official SDK on both sides. */
export async function startAblyBackend(): Promise<ContractBackend> {
  const emulator = await startAblyEmulator()
  const { endpoint, port, tls } = emulator.clientOptions
  const publisher = createAblyPublisher({ apiKey: emulator.key, endpoint, port, tls })
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
      const client = new Realtime({ token, ...emulator.clientOptions, logLevel: 0 })
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
    dropConnections: () => void emulator.dropConnections(),
    async startOutage() {
      const outage = emulator.faults.add({ fault: "refuse-connection", code: 50003, statusCode: 503 })
      emulator.dropConnections()
      return () => void emulator.faults.remove(outage.id)
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(transports.map((transport) => transport.close()))
      await realtime.close()
      await emulator.close()
    },
  }
}
