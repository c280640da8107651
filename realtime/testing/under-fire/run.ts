import { createClient } from "../../client/create-client.ts"
import { createFailoverTransport } from "../../client/failover-transport.ts"
import type { RealtimeClient } from "../../client/types.ts"
import type { RealtimeMessage } from "../../message.ts"
import { createChance } from "../chance.ts"
import {
  type ContractRealtime,
  contractChannels,
  createContractHttp,
  createContractRealtime,
} from "../transport-contract/backend.ts"
import { freshName, type RoomRef } from "../transport-contract/check.ts"
import { waitFor } from "../wait-for.ts"
import { createFire } from "./fire.ts"
import { type Service, type ServiceName, startService } from "./services.ts"

export interface UnderFireOptions {
  /** In order of preference. */
  providers: readonly ServiceName[]
  seed: number
  clients?: number
  steps?: number
  onStep?(step: string): void
}

/** What was promised and what came of it: the two sides of the ledger. */
export interface Ledger {
  seed: number
  /** Publishes that somebody began, and those whose acceptance they learned of. */
  begun: number
  accepted: number
  /** Messages in the log; an acceptance may have gone unheard. */
  logged: number
  clients: number
  /**
   * Deliveries that each client should have had and didn't; had more than once; had before an earlier one.
   */
  lost: number
  repeated: number
  outOfOrder: number
  /** Accepted messages that the log doesn't have exactly once. */
  notInTheLog: number
  /** How often each fault was made, and how often clients changed the provider. */
  faults: Record<string, number>
  moves: number
}

interface Reader {
  client: RealtimeClient
  received: RealtimeMessage[]
  gaps: number
  moves: number
  close(): Promise<void>
}

/**
 * Writers, readers and a random program of faults over real services with the official SDKs; then peace, and
 * the ledger. A reader that reloads goes on from where it stood, as a page does.
 */
export async function runUnderFire(options: UnderFireOptions): Promise<Ledger> {
  const { providers, seed, clients = 3, steps = 60, onStep = () => {} } = options
  const chance = createChance(seed)
  const random = (below: number) => chance.between(0, below - 1)
  await using stack = new AsyncDisposableStack()
  const services: Service[] = []
  for (const name of providers) services.push(stack.use(await startService[name](seed)))
  const realtime = createContractRealtime({
    publishers: services.map(({ publisher }) => publisher),
    deliveryTimeoutMs: 300,
  })
  stack.defer(() => realtime.close())
  for (const service of services) service.attach(realtime.core)

  const room = contractChannels.room({ room: freshName("under-fire") })
  const start = await realtime.head(room)
  const readers = Array.from({ length: clients }, (_, index) =>
    openReader(realtime, services, room, `reader-${index}`, start, []),
  )
  stack.defer(async () => {
    await Promise.all(readers.map((reader) => reader.close()))
  })

  const fire = createFire(services)
  const accepted: string[] = []
  const publishing = new Set<Promise<void>>()
  let begun = 0
  let moves = 0

  function publish(reader: Reader | null): void {
    begun += 1
    const id = crypto.randomUUID()
    const payload = { text: `message ${begun}` }
    const sent = reader
      ? reader.client.channel(room).publish("said", payload, { id, timeoutMs: 30_000 })
      : realtime.publish(room, "said", payload, { id })
    const settled = sent.then(
      () => void accepted.push(id),
      () => {
        // Not accepted as far as its sender knows: nothing was promised.
      },
    )
    publishing.add(settled)
    void settled.then(() => publishing.delete(settled))
  }

  const { pick } = chance
  const programme: [weight: number, name: string, run: () => Promise<void> | void][] = [
    [10, "publish from the server", () => publish(null)],
    [10, "publish from a page", () => publish(pick(readers))],
    [3, "outage", () => fire.toggle(pick(services), "outages")],
    [3, "disturbance", () => fire.toggle(pick(services), "disturbances")],
    [2, "refusals", () => fire.toggle(pick(services), "refusals")],
    [2, "cut", () => fire.cut(pick(services))],
    // What a connection was permitted ends, as when a token expires; it has to ask again.
    [1, "expiry", () => realtime.revoke({ id: `reader-${random(readers.length)}` }, room)],
    [
      1,
      "reload",
      async () => {
        const index = random(readers.length)
        const old = readers[index] as Reader
        await old.close()
        moves += old.moves
        const last = old.received.at(-1)
        readers[index] = openReader(realtime, services, room, `reader-${index}`, last ?? start, old.received)
      },
    ],
    [8, "pass", () => new Promise<void>((resolve) => setTimeout(resolve, random(60)))],
  ]
  if (services.length > 1) {
    onStep("the preferred one fails")
    const [preferred] = services as [Service]
    await waitFor(() => readers.every(({ client }) => client.connection.status.state === "connected"))
    fire.toggle(preferred, "outages")
    await waitFor(() => readers.every(({ client }) => client.connection.provider !== preferred.provider))
    fire.end()
  }
  const total = programme.reduce((sum, [weight]) => sum + weight, 0)
  for (let step = 0; step < steps; step += 1) {
    let left = random(total)
    const chosen = programme.find(([weight]) => {
      left -= weight
      return left < 0
    })
    onStep(chosen?.[1] ?? "")
    await chosen?.[2]()
  }

  onStep("peace")
  fire.end()
  await Promise.all(publishing)
  const { seq: head } = await realtime.head(room)
  await waitFor(
    () => readers.every(({ received }) => received.length >= head),
    `${head} messages at ${readers.map(({ received }) => received.length).join(", ")} of seed ${seed}`,
  ).catch(() => {})
  // What comes twice would come now.
  for (const reader of readers) await reader.client.channel(room).publish("said", { text: "the last" })
  const end = head + readers.length
  await waitFor(() => readers.every(({ received }) => (received.at(-1)?.seq ?? 0) >= end)).catch(() => {})

  const log = await readLog(realtime, room)
  const times = (id: string) => log.filter((message) => message.id === id).length
  const ledger: Ledger = {
    ...{ seed, begun, accepted: accepted.length, logged: head, clients: readers.length },
    ...{ lost: 0, repeated: 0, outOfOrder: 0, faults: fire.made, moves },
    notInTheLog: accepted.filter((id) => times(id) !== 1).length,
  }
  for (const { received, moves: moved } of readers) {
    ledger.moves += moved
    const seen = new Set(received.map(({ seq }) => seq))
    ledger.lost += end - seen.size
    ledger.repeated += received.length - seen.size
    ledger.outOfOrder += received.filter(({ seq }, index) => seq < (received[index - 1]?.seq ?? 0)).length
  }
  return ledger
}

function openReader(
  realtime: ContractRealtime,
  services: readonly Service[],
  room: RoomRef,
  id: string,
  since: { epoch: string; seq: number },
  received: RealtimeMessage[],
): Reader {
  const http = createContractHttp(realtime, { id })
  const transport = createFailoverTransport({
    candidates: services.map((service) => ({
      provider: service.provider,
      key: service.provider,
      create: () => service.createTransport(http),
    })),
    patienceMs: 150,
    returnMs: 300,
  })
  const client = createClient({
    transport,
    http,
    headCheck: { connectedMs: 400, interruptedMs: 200 },
    onError() {},
  })
  const reader: Reader = { client, received, gaps: 0, moves: 0, close: () => client.close() }
  let provider = transport.provider
  transport.onStatus(() => {
    if (transport.provider === provider) return
    provider = transport.provider
    reader.moves += 1
  })
  client.channel(room).subscribe(
    {
      onMessages: (messages) => void received.push(...messages),
      onGap: () => {
        reader.gaps += 1
      },
    },
    { since: { epoch: since.epoch, seq: since.seq } },
  )
  client.open()
  return reader
}

async function readLog(realtime: ContractRealtime, room: RoomRef): Promise<RealtimeMessage[]> {
  const all: RealtimeMessage[] = []
  for (;;) {
    const page = await realtime.history(room, { after: all.at(-1)?.seq ?? 0, limit: 500 })
    if (page.messages.length === 0) return all
    all.push(...(page.messages as RealtimeMessage[]))
  }
}

/** Whether every promise was kept. */
export const isClean = ({ lost, repeated, outOfOrder, notInTheLog }: Ledger): boolean =>
  lost + repeated + outOfOrder + notInTheLog === 0
