import { createListeners, logError } from "throughline"
import { type ConfiguredClient, createRealtimeClient, type RealtimeClientOptions } from "throughline/client"
import { lab } from "#lib/chat/channels.ts"
import { providers } from "#lib/realtime/client.ts"
import { createFaultyTransport, type Faults } from "./faulty-transport.ts"
import { createLedger, type Ledger } from "./ledger.ts"

export type SideName = "left" | "right"

/** Something that was done to this side, or that it did by itself. */
export interface Mark {
  at: number
  what: keyof Faults | "expire" | "provider"
  /** A fault begins, or ends. */
  isOn: boolean
  /** With `provider`: which one carries from here on. */
  provider?: string
}

/** One of the two people: a client with a connection of its own, behind a network that can be spoiled. */
export interface Side {
  readonly name: SideName
  readonly client: ConfiguredClient
  readonly ledger: Ledger
  readonly faults: Faults
  /** Resolves when it is connected for the first time, and will miss nothing from then on. */
  readonly ready: Promise<void>
  readonly marks: readonly Mark[]
  mark(what: Mark["what"], isOn: boolean): void
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
  const listeners = createListeners(logError, "onFaults")
  const ledger = createLedger()
  const onFaults = listeners.add
  let faults = noFaults
  const marks: Mark[] = []
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
    failover: { patienceMs: 5_000, returnMs: 1_000 },
    onError() {},
  })
  const ref = lab({ owner, visit })
  const channel = client.channel(ref)
  const { ready } = channel.subscribe({
    onMessages: (messages) => ledger.shown(messages, performance.now()),
  })
  let { provider } = client.connection
  client.connection.subscribe(noteProvider)
  client.open()

  /** A move to another provider is no change of the state, so each look at the page notes it too. */
  function noteProvider(): void {
    if (client.connection.provider === provider) return
    provider = client.connection.provider
    marks.push({ at: performance.now(), what: "provider", isOn: true, provider })
  }

  function mark(what: Mark["what"], isOn: boolean): void {
    marks.push({ at: performance.now(), what, isOn })
  }

  return {
    name,
    client,
    ledger,
    get faults() {
      return faults
    },
    ready,
    get marks() {
      noteProvider()
      return marks
    },
    mark,
    setFaults(change) {
      for (const [fault, value] of Object.entries(change) as [keyof Faults, boolean | Set<string>][]) {
        const isOn = typeof value === "boolean" ? value : value.size > 0
        const before = faults[fault]
        if (isOn !== (typeof before === "boolean" ? before : before.size > 0)) mark(fault, isOn)
      }
      faults = { ...faults, ...change }
      listeners.tell()
    },
    onFaults,
    send: async () => (await channel.publish("numbered", { side: name }, { timeoutMs: 120_000 })).seq,
    close: () => void client.close(),
  }
}
