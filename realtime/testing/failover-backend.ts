import {
  createFailoverTransport,
  type FailoverOptions,
  type FailoverTransport,
} from "../client/failover-transport.ts"
import { RealtimeError } from "../errors.ts"
import type { User } from "../message.ts"
import { createMemoryTransport } from "../providers/memory/client.ts"
import { createMemoryHub, type MemoryHub } from "../providers/memory/hub.ts"
import { createMemoryPublisher } from "../providers/memory/server.ts"
import { type ContractBackend, createContractRealtime } from "./transport-contract/backend.ts"

/** Several memory services under one server, and transports that move between them. */
export interface FailoverBackend extends ContractBackend {
  hubs: readonly MemoryHub[]
  createTransport(user: User, options?: Partial<FailoverOptions>): FailoverTransport
  candidatesOf(user: User, hubs?: readonly MemoryHub[]): FailoverOptions["candidates"]
  /** Tells whoever connects to this one that they may not, for good. */
  refuse(service: number): void
  /** Nobody connects to this one until the returned function is called. */
  stop(hub: MemoryHub): () => void
}

export async function startFailoverBackend({ services = 2 } = {}): Promise<FailoverBackend> {
  const transports: FailoverTransport[] = []
  const hubs: MemoryHub[] = Array.from({ length: services }, () =>
    createMemoryHub({
      authorize: (user, channel, action) => realtime.core.authorize(user, channel, action),
      maxPresenceMembers: 100,
    }),
  )
  const realtime = createContractRealtime({ publishers: hubs.map((hub) => createMemoryPublisher(hub)) })
  const candidatesOf = (user: User, of: readonly MemoryHub[] = hubs) =>
    of.map((hub) => ({
      provider: `memory ${hubs.indexOf(hub) + 1}`,
      key: String(hubs.indexOf(hub)),
      create: () => createMemoryTransport({ hub, user, retryMs: 10, onError: () => {} }),
    }))

  function createTransport(user: User, options: Partial<FailoverOptions> = {}): FailoverTransport {
    const transport = createFailoverTransport({
      candidates: candidatesOf(user),
      patienceMs: 60,
      returnMs: 60,
      onError: () => {},
      ...options,
    })
    transports.push(transport)
    return transport
  }

  const refuse = (hub: MemoryHub, code: "provider-unavailable" | "unauthorized") =>
    hub.refuseConnections(new RealtimeError(code, { provider: "memory", message: "unable to connect" }))

  function stop(hub: MemoryHub): () => void {
    refuse(hub, "provider-unavailable")
    hub.dropConnections()
    return () => hub.refuseConnections(null)
  }

  return {
    hubs,
    realtime,
    createTransport,
    candidatesOf,
    stop,
    refuse(service) {
      const hub = hubs[service]
      if (hub) refuse(hub, "unauthorized")
    },
    createRefusedTransport() {
      const closed = hubs.map(() => createMemoryHub({ authorize: async () => {}, maxPresenceMembers: 0 }))
      for (const hub of closed) refuse(hub, "unauthorized")
      const candidates = closed.map((hub, index) => ({
        provider: "memory",
        key: String(index),
        create: () => createMemoryTransport({ hub, user: { id: "nobody" }, retryMs: 10, onError: () => {} }),
      }))
      return createTransport({ id: "nobody" }, { candidates })
    },
    forge: async () => {},
    dropConnections() {
      for (const hub of hubs) hub.dropConnections()
    },
    async startOutage() {
      const restarts = hubs.map(stop)
      return () => {
        for (const restart of restarts) restart()
      }
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(transports.map((transport) => transport.close()))
      await realtime.close()
    },
  }
}
