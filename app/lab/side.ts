import { lab } from "#lib/chat/channels.ts"
import { providers } from "#lib/realtime/client.ts"
import { type ConfiguredClient, createRealtimeClient, type RealtimeClientOptions } from "#realtime/client"
import { createFaultyTransport, type Faults } from "./faulty-transport.ts"
import { createLedger, type Ledger } from "./ledger.ts"

export type SideName = "left" | "right"

/** One of the two people: a client with a connection of its own, behind a network that can be spoiled. */
export interface Side {
  readonly name: SideName
  readonly client: ConfiguredClient
  readonly ledger: Ledger
  readonly faults: Faults
  setFaults(change: Partial<Faults>): void
  onFaults(listener: () => void): () => void
  /** Resolves with the message's place when the log has it. */
  send(): Promise<number>
  close(): void
}

const noFaults: Faults = {
  ...{ cut: false, drop: false, duplicate: false, reorder: false, delay: false },
  failed: new Set(),
}

export function createSide(
  name: SideName,
  config: RealtimeClientOptions["config"],
  { owner, visit }: { owner: string; visit: string },
): Side {
  const listeners = new Set<() => void>()
  const ledger = createLedger()
  const onFaults = (listener: () => void) => {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }
  let faults = noFaults
  const spoiled = Object.entries(providers).map(([provider, load]): [string, typeof load] => [
    provider,
    async () => {
      const createTransport = await load()
      return (options) =>
        createFaultyTransport({
          transport: createTransport(options),
          faults: () => faults,
          onFaults,
          onDelivery(messages) {
            // While the contract moves over, two providers deliver; an application on one SDK has only that one.
            if (options.config.provider === client.connection.provider)
              ledger.delivered(messages, performance.now())
          },
        })
    },
  ])
  const client: ConfiguredClient = createRealtimeClient({
    config,
    providers: Object.fromEntries(spoiled),
    // Without a network there is no way to the server either.
    fetch: async (...request) => {
      if (faults.cut) throw new TypeError("there is no network")
      return fetch(...request)
    },
    headCheck: { connectedMs: 3_000, interruptedMs: 1_000 },
    failover: { patienceMs: 2_000, returnMs: 1_000 },
    onError() {},
  })
  const ref = lab({ owner, visit })
  const channel = client.channel(ref)
  channel.subscribe({ onMessages: (messages) => ledger.shown(messages, performance.now()) })
  client.open()

  return {
    name,
    client,
    ledger,
    get faults() {
      return faults
    },
    setFaults(change) {
      faults = { ...faults, ...change }
      for (const listener of [...listeners]) listener()
    },
    onFaults,
    send: async () => (await channel.publish("numbered", { side: name }, { timeoutMs: 120_000 })).seq,
    close: () => void client.close(),
  }
}
