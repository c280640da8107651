import { parseArgs } from "node:util"
import { createClient } from "../../client/create-client.ts"
import { createFailoverTransport } from "../../client/failover-transport.ts"
import { createChance } from "../chance.ts"
import {
  contractChannels,
  createContractHttp,
  createContractRealtime,
} from "../transport-contract/backend.ts"
import { waitFor } from "../wait-for.ts"
import { createFire } from "./fire.ts"
import { type Service, type ServiceName, serviceNames, startService } from "./services.ts"

/**
 * `npm run head-to-head`: the same faults, by the same seeds, on the vendor's SDKs alone and on the same
 * SDKs below our contract; then on lists of providers, which the SDKs alone have no answer to. One server
 * writes numbers, one after another; readers note what they see. What the SDK or the contract said was
 * taken has to arrive once, in order.
 */
const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "10" },
    readers: { type: "string", default: "3" },
    steps: { type: "string", default: "150" },
  },
})
const readers = Number(values.readers)

interface Side {
  publish(n: number): Promise<unknown>
  open(onMessage: (n: number) => void): { close(): void | Promise<void> }
  close?(): Promise<void>
}

interface Outcome {
  accepted: number
  lost: number
  repeated: number
  outOfOrder: number
}

/** The vendor's SDKs as they are. A publish that fails is tried twice more, as an application would. */
function bareSide([service]: readonly Service[]): Side {
  const { bare } = service as Service
  return {
    async publish(n) {
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await bare.publish(n)
        } catch (error) {
          if (attempt === 3) throw error
          await new Promise((resolve) => setTimeout(resolve, 50))
        }
      }
    },
    open: bare.open,
  }
}

function ourSide(services: readonly Service[]): Side {
  const realtime = createContractRealtime({
    publishers: services.map(({ publisher }) => publisher),
    deliveryTimeoutMs: 300,
  })
  for (const service of services) service.attach(realtime.core)
  const room = contractChannels.room({ room: crypto.randomUUID() })
  return {
    publish: (n) => realtime.publish(room, "said", { text: String(n) }),
    open(onMessage) {
      const http = createContractHttp(realtime, { id: crypto.randomUUID() })
      const candidates = services.map((service) => ({
        provider: service.provider,
        key: service.provider,
        create: () => service.createTransport(http),
      }))
      const client = createClient({
        transport: createFailoverTransport({
          candidates,
          patienceMs: 150,
          returnMs: 300,
        }),
        ...{ http, onError() {} },
        headCheck: { connectedMs: 400, interruptedMs: 200 },
      })
      client.channel(room).subscribe({
        onMessages: (messages) => {
          for (const { payload } of messages) onMessage(Number((payload as { text: string }).text))
        },
      })
      client.open()
      return client
    },
    close: () => realtime.close(),
  }
}

async function measure(
  list: readonly ServiceName[],
  seed: number,
  sideOf: (services: readonly Service[]) => Side,
): Promise<Outcome> {
  await using stack = new AsyncDisposableStack()
  const services: Service[] = []
  for (const name of list) services.push(stack.use(await startService[name](seed)))
  const side = sideOf(services)
  const seen: number[][] = Array.from({ length: readers }, () => [])
  const open = seen.map((list) => side.open((n) => void list.push(n)))
  // All are there before anything counts.
  let n = 0
  await waitFor(async () => {
    n -= 1
    await side.publish(n)
    return seen.every((list) => list.length > 0)
  })
  for (const list of seen) list.length = 0

  const chance = createChance(seed)
  const random = (below: number) => chance.between(0, below - 1)
  const fire = createFire(services)
  const accepted: number[] = []
  for (let step = 1; step <= Number(values.steps); step += 1) {
    const dice = random(100)
    const service = chance.pick(services)
    if (dice < 7) fire.toggle(service, "outages")
    else if (dice < 14) fire.toggle(service, "disturbances")
    else if (dice < 18) fire.toggle(service, "refusals")
    else if (dice < 24) fire.cut(service)
    else if (dice < 50) await new Promise((resolve) => setTimeout(resolve, random(60)))
    else
      await side.publish(step).then(
        () => accepted.push(step),
        () => {
          // The writer knows that it failed; nothing was promised.
        },
      )
  }
  fire.end()
  // All are back when they hear of something new.
  let last = 1_000_000
  await waitFor(async () => {
    last += 1
    await side.publish(last).catch(() => {})
    return seen.every((list) => list.some((number) => number > 1_000_000))
  })
  await new Promise((resolve) => setTimeout(resolve, 1_000))
  await Promise.all(open.map((reader) => reader.close()))
  await side.close?.()

  const outcome = { accepted: accepted.length, lost: 0, repeated: 0, outOfOrder: 0 }
  for (const list of seen) {
    const counted = list.filter((number) => number > 0 && number < 1_000_000)
    const unique = new Set(counted)
    outcome.lost += accepted.filter((number) => !unique.has(number)).length
    outcome.repeated += counted.length - unique.size
    const firsts = [...unique]
    outcome.outOfOrder += firsts.filter(
      (number, index) => number < Math.max(0, ...firsts.slice(0, index)),
    ).length
  }
  return outcome
}

const sides = [
  ["alone", bareSide],
  ["with Throughline", ourSide],
] as const
const alone = serviceNames.map((name) => [name])
const others = serviceNames.filter((name) => name !== "socketio")
/** The gateway beside a service, either of them first; and all three. */
const lists: ServiceName[][] = [
  ...others.flatMap((name): ServiceName[][] => [
    ["socketio", name],
    [name, "socketio"],
  ]),
  [...serviceNames],
]
console.log(`| SDK | | accepted × ${readers} readers | lost | repeated | out of order |`)
console.log("| --- | --- | --- | --- | --- | --- |")
for (const list of [...alone, ...lists]) {
  for (const [label, sideOf] of list.length > 1 ? sides.slice(1) : sides) {
    const total: Outcome = { accepted: 0, lost: 0, repeated: 0, outOfOrder: 0 }
    for (let seed = 1; seed <= Number(values.seeds); seed += 1) {
      const outcome = await measure(list, seed, sideOf)
      for (const key of Object.keys(total) as (keyof Outcome)[]) total[key] += outcome[key]
    }
    const { accepted, lost, repeated, outOfOrder } = total
    console.log(
      `| ${list.join(", ")} | ${label} | ${accepted * readers} | ${lost} | ${repeated} | ${outOfOrder} |`,
    )
  }
}
process.exit(0)
