import type { MeteredServer } from "./meter.ts"
import { bare, type Joining, type Stack, throughline } from "./stacks.ts"
import type { WireClient } from "./wire.ts"

/** So many handshakes at a time, as a listening socket's backlog takes them. */
const atOnce = 100

async function connectAll(
  stack: Stack,
  server: MeteredServer,
  count: number,
  { rooms, after, onDeliveries = () => {} }: { rooms: number } & Partial<Joining>,
): Promise<WireClient[]> {
  const clients: WireClient[] = []
  for (let from = 0; from < count; from += atOnce) {
    const some = Array.from({ length: Math.min(atOnce, count - from) }, (_, index) =>
      stack.connect({
        ...{ url: server.url, token: server.token, after, onDeliveries },
        room: `r${(from + index) % rooms}`,
      }),
    )
    clients.push(...(await Promise.all(some)))
  }
  return clients
}

/** What an idle connection in a room costs its server, in kB of resident memory. */
async function memory(stack: Stack, connections: number): Promise<number> {
  await using servers = await stack.start()
  const [server] = servers.list
  if (!server) throw new Error("there is no server")
  const warm = await connectAll(stack, server, atOnce, { rooms: 10 })
  const before = (await server.read()).memory
  const clients = await connectAll(stack, server, connections, { rooms: 100 })
  const after = (await server.read()).memory
  for (const client of [...warm, ...clients]) client.close()
  return (after - before) / connections / 1_000
}

/** How long it takes until all who lost their connection at once are back, for us with what they missed. */
async function storm(
  stack: Stack,
  { clients: count, missed }: { clients: number; missed: number },
): Promise<number> {
  await using servers = await stack.start()
  const [server] = servers.list
  if (!server) throw new Error("there is no server")
  const rooms = 100
  const first = await connectAll(stack, server, rooms, { rooms })
  const [writer] = first
  for (let n = 0; n < missed * rooms; n += 1)
    if (writer) await stack.publish(writer, `r${n % rooms}`, "x".repeat(100))
  for (const client of first) client.close()
  let received = 0
  const onDeliveries = (more: number) => {
    received += more
  }
  const started = performance.now()
  const clients = await connectAll(stack, server, count, {
    rooms,
    after: missed > 0 ? 0 : undefined,
    onDeliveries,
  })
  const ms = performance.now() - started
  for (const client of clients) client.close()
  if (received !== missed * count) throw new Error(`${received} of ${missed * count} missed messages came`)
  return ms
}

export const idle = (connections: number) => ({
  about: {
    scenario: `${connections.toLocaleString("en")} idle connections`,
    ...{ metric: "memory per connection", target: "<= 1.05", against: bare.name },
  },
  ours: () => memory(throughline, connections),
  control: () => memory(bare, connections),
})

export const reconnects = (clients: number) => ({
  about: {
    scenario: `${clients.toLocaleString("en")} reconnect, each 20 messages behind`,
    ...{ metric: "until all are back", target: "<= 1.1", against: "bare Socket.IO, no catching up" },
  },
  ours: () => storm(throughline, { clients, missed: 20 }),
  control: () => storm(bare, { clients, missed: 0 }),
})
