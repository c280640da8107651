import type { MeteredServer } from "./meter.ts"
import type { Metric, Scenario } from "./scenarios.ts"
import type { Stack } from "./stacks.ts"
import type { WireClient } from "./wire.ts"

/** One value per metric, so that a scenario picks its own. */
export type Figures = Record<Metric, number>

const text = "x".repeat(90)
/** In each text, so that whoever looks knows which message has arrived. */
const numbered = /#(\d+)#/g

const quantile = (numbers: readonly number[], q: number) =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length * q)] ?? Number.NaN

/** Puts a scenario's load on servers of their own. What did not arrive is no throughput. */
export async function measure(stack: Stack, scenario: Scenario): Promise<Figures> {
  await using servers = await stack.start()
  const { rooms, subscribersPerRoom, rate, inFlight = 1, messages } = scenario
  const serverFor = (n: number) => servers.list[n % servers.list.length] as MeteredServer
  const sentAt: number[] = []
  const latencies: number[] = []
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
  const publish = (n: number) => {
    sentAt[n] = performance.now()
    return stack.publish(senders[n % senders.length] as WireClient, `r${n % rooms}`, `#${n}#${text}`)
  }
  const arrive = async (expected: number) => {
    while (delivered < expected) await new Promise((resolve) => setImmediate(resolve))
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

  const before = await readAll()
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
  await arrive(messages * subscribersPerRoom)
  const seconds = (performance.now() - started) / 1000
  const cpu = (await readAll()) - before
  for (const client of [...clients, ...senders]) client.close()
  return {
    "CPU per delivery": cpu / delivered,
    "CPU per publish": cpu / messages,
    "deliveries per second": delivered / seconds,
    "p50 of delivery": quantile(latencies, 0.5),
    "p99 of delivery": quantile(latencies, 0.99),
  }
}
