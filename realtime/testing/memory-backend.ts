import type { TransportCapabilities } from "../capabilities.ts"
import { RealtimeError } from "../errors.ts"
import type { MemoryLogStore } from "../log/memory.ts"
import { memoryCapabilities } from "../providers/memory/capabilities.ts"
import { createMemoryTransport } from "../providers/memory/client.ts"
import { createMemoryHub } from "../providers/memory/hub.ts"
import { createMemoryPublisher } from "../providers/memory/server.ts"
import type { RealtimeTransport } from "../transport.ts"
import { type ContractBackend, createContractRealtime } from "./transport-contract/backend.ts"

export interface MemoryBackendOptions {
  /** Where its log is, for other logs over it. Default: one of its own. */
  store?: MemoryLogStore
  capabilities?: TransportCapabilities
  /** Puts something between the provider and the contract: what the broken transports do. */
  wrap?(transport: RealtimeTransport): RealtimeTransport
}

/** The reference provider, running, for the contract and for tests of what stands on a provider. */
export async function startMemoryBackend(options: MemoryBackendOptions = {}): Promise<ContractBackend> {
  const { capabilities = memoryCapabilities, wrap = (transport) => transport } = options
  const transports: RealtimeTransport[] = []
  const hub = createMemoryHub({
    authorize: (user, channel, action) => realtime.core.authorize(user, channel, action),
    maxPresenceMembers: capabilities.maxPresenceMembers,
  })
  const realtime = createContractRealtime({
    publishers: [createMemoryPublisher(hub)],
    ...(options.store && { store: options.store }),
  })
  const onError = () => {}

  function createTransport(user: { id: string; name?: string }, at = hub): RealtimeTransport {
    const transport = wrap(createMemoryTransport({ hub: at, user, capabilities, retryMs: 10, onError }))
    transports.push(transport)
    return transport
  }

  return {
    realtime,
    createTransport: (user) => createTransport(user),
    createRefusedTransport() {
      const closed = createMemoryHub({ authorize: async () => {}, maxPresenceMembers: 0 })
      closed.refuseConnections(
        new RealtimeError("unauthorized", { provider: "memory", message: "unable to connect" }),
      )
      return createTransport({ id: "nobody" }, closed)
    },
    // The hub takes messages from the server's publisher alone; there is no other way in to try.
    forge: async () => {},
    dropConnections: () => hub.dropConnections(),
    async startOutage() {
      const message = "unable to connect; the service is down"
      hub.refuseConnections(new RealtimeError("provider-unavailable", { provider: "memory", message }))
      hub.dropConnections()
      return () => hub.refuseConnections(null)
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(transports.map((transport) => transport.close()))
      await realtime.close()
    },
  }
}
