import { arrival } from "./arrival.ts"
import type { MeteredServer } from "./meter.ts"
import { quantile } from "./report.ts"
import type { Metric, Scenario } from "./scenarios.ts"
import type { Stack } from "./stacks.ts"
import type { WireClient } from "./wire.ts"

/**
 * One value per metric, so that a scenario picks its own; `busy` is the servers' share of a core, each,
 * `generating` the load generator's.
 */
export type Figures = Record<Metric, number> & { busy: number; generating: number }

const text = "x".repeat(90)
/** In each text, so that whoever looks knows which message has arrived. */
const numbered = /#(\d+)#/g

/**
 * Puts a scenario's load on servers of their own. What did not arrive is no throughput, and where there is a
 * log an error.
 */
export async function measure(stack: Stack, scenario: Scenario): Promise<Figures> {
  await using servers = await stack.start()
  const { rooms, subscribersPerRoom, rate, inFlight = 1, messages } = scenario
  const serverFor = (n: number) => servers.list[n % servers.list.length] as MeteredServer
  const sentAt: number[] = []
  const latencies: number[] = []
  const answers: number[] = []
  let delivered = 0
  const count = (more: number) => {
    delivered += more
  }
  /** Reads what it gets: one for all, since reading costs the load generator more than counting. */
  const look = (packet: string) => {
    const now = performance.now()
    for (const [, n] of packet.matchAll(numbered)) latencies.push(now - (sentAt[Number(n)] ?? now))
  }
  const clients: WireClient[] = []
  const join = async (n: number, room: string, onPacket?: (packet: string) => void) => {
    const { url, token } = serverFor(n)
    clients.push(await stack.connect({ url, token, room, onDeliveries: count, onPacket }))
  }
  for (let from = 0; from < rooms * subscribersPerRoom; from += 50) {
    const until = Math.min(from + 50, rooms * subscribersPerRoom)
    const some = Array.from({ length: until - from }, (_, index) => from + index)
    // The last one of the first room looks: what comes first to the others has come to it last.
    await Promise.all(
      some.map((n) => join(n, `r${n % rooms}`, n === rooms * (subscribersPerRoom - 1) ? look : undefined)),
    )
  }
  const senders = await Promise.all(
    Array.from({ length: Math.min(rooms, 20) }, (_, n) => {
      const { url, token } = serverFor(n)
      return stack.connect({ url, token, room: "nobody", onDeliveries: () => {} })
    }),
  )
  const publish = async (n: number) => {
    const sent = performance.now()
    sentAt[n] = sent
    await stack.publish(senders[n % senders.length] as WireClient, `r${n % rooms}`, `#${n}#${text}`)
    answers.push(performance.now() - sent)
  }
  /** Bare Socket.IO loses what its adapter's stream is trimmed of. Resolves with when the last one came. */
  const arrive = async (expected: number) => {
    const { missing, lastAt } = await arrival(() => delivered, expected)
    const lost = `${stack.name}: ${missing} of ${expected} never came`
    if (missing > 0 && stack.isDurable) throw new Error(lost)
    if (missing > 0) console.error(`  ${lost}`)
    return lastAt
  }
  const readAll = async () => {
    const readings = await Promise.all(servers.list.map((server) => server.read()))
    return readings.reduce((sum, { cpu }) => sum + cpu, 0)
  }

  const warmUp = Math.ceil(messages / 10)
  for (let n = 0; n < warmUp; n += 1) await publish(n)
  await arrive(warmUp * subscribersPerRoom)
  delivered = 0
  latencies.length = 0
  answers.length = 0

  const before = await readAll()
  const ownBefore = process.cpuUsage()
  const started = performance.now()
  if (rate) {
    const pending: Promise<unknown>[] = []
    for (let n = 0; n < messages; n += 1) {
      const wait = started + (n * 1000) / rate - performance.now()
      if (wait > 1) await new Promise((resolve) => setTimeout(resolve, wait))
      pending.push(publish(n))
    }
    await Promise.all(pending)
  } else {
    let next = 0
    const lane = async () => {
      while (next < messages) await publish(next++)
    }
    await Promise.all(Array.from({ length: inFlight }, lane))
  }
  const lastAt = await arrive(messages * subscribersPerRoom)
  const seconds = (lastAt - started) / 1000
  const own = process.cpuUsage(ownBefore)
  const cpu = (await readAll()) - before
  for (const client of [...clients, ...senders]) client.close()
  return {
    "CPU per delivery": cpu / delivered,
    "CPU per publish": cpu / messages,
    "deliveries per second": delivered / seconds,
    "p50 of the answer": quantile(answers, 0.5),
    "p50 of delivery": quantile(latencies, 0.5),
    "p99 of delivery": quantile(latencies, 0.99),
    busy: cpu / 1e6 / seconds / servers.list.length,
    generating: (own.user + own.system) / 1e6 / seconds,
  }
}

/** The share of a core from which on a server has no time left. */
const wholeCore = 0.95
const mostInFlight = 3_200

const percent = (share: number) => `${Math.round(share * 100)} %`

/**
 * The scenario with as many messages in flight as keep both servers busy all the time. It ends as well where
 * more of them bring no more deliveries: then the load generator, the disk or another process is the limit,
 * and what was measured says less than it could of the server. It is told on the way.
 */
export async function saturate(scenario: Scenario): Promise<Scenario> {
  const messages = Math.ceil(scenario.messages / 4)
  let { inFlight = 1 } = scenario
  for (const stack of [scenario.control, scenario.ours]) {
    for (let last = 0; ; inFlight *= 2) {
      const { busy, generating, ...figures } = await measure(stack, { ...scenario, inFlight, messages })
      const deliveries = figures["deliveries per second"]
      console.error(
        `  ${stack.name}, ${inFlight} in flight: ${percent(busy)} of a core, the load generator ${percent(generating)}`,
      )
      if (busy >= wholeCore || deliveries < last * 1.05 || inFlight * 2 > mostInFlight) break
      last = deliveries
    }
  }
  return { ...scenario, inFlight }
}
