import { v7 as uuidv7 } from "uuid"
import { startPostgres } from "../testing/postgres.ts"
import { startRedis } from "../testing/redis.ts"
import { type MeteredServer, startMetered } from "./meter.ts"
import { connectWire, type WireClient } from "./wire.ts"

export interface Joining {
  url: string
  token: string
  room: string
  onDeliveries(count: number): void
  /** Joins after this message of the log, and is given those that follow. */
  after?: number | undefined
  /** Told each packet's text as well. */
  onPacket?: ((packet: string) => void) | undefined
}

/**
 * One way to build the same thing: its servers, how to join a room, publish to it, and count what arrived.
 */
export interface Stack {
  name: string
  /** Whether it keeps what it takes, so that nothing may be lost. */
  isDurable: boolean
  /** Its processes, which stop together. */
  start(): Promise<{ list: readonly MeteredServer[] } & AsyncDisposable>
  connect(joining: Joining): Promise<WireClient>
  /** Resolves when the server has taken the message. */
  publish(client: WireClient, room: string, text: string): Promise<unknown>
}

const position = '"seq":'

/**
 * How many messages a packet brings: those of one channel have no hole, so the first and the last position
 * say it. To look for each would cost the load generator more than the server spends on it.
 */
function countIn(packet: string): number {
  const at = (index: number) =>
    Number.parseInt(packet.slice(index + position.length, index + position.length + 16), 10)
  const first = packet.indexOf(position)
  return first === -1 ? 0 : at(packet.lastIndexOf(position)) - at(first) + 1
}

const startOne = (file: string) => async () => {
  const server = await startMetered(file)
  return { list: [server], [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
}

/** Two processes over one Redis, and for us over one PostgreSQL that forces each commit to the disk. */
const startTwo = (file: string, hasLog: boolean) => async () => {
  await using stack = new AsyncDisposableStack()
  const redis = stack.use(await startRedis({ keeps: false }))
  const parameters = [redis.url]
  if (hasLog) parameters.push(stack.use(await startPostgres({ settings: { fsync: "on" } })).connectionString)
  const list: MeteredServer[] = []
  for (let n = 0; n < 2; n += 1) list.push(stack.use(await startMetered(file, parameters)))
  const owned = stack.move()
  return { list, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

/** The gateway, the durable log on. */
export const throughline: Stack = {
  name: "Throughline",
  isDurable: true,
  start: startOne("server-throughline.ts"),
  async connect({ url, token, room, after, onDeliveries, onPacket }) {
    const client = await connectWire(url, { ticket: token }, (packet) => {
      onDeliveries(countIn(packet))
      onPacket?.(packet)
    })
    const cursor = after === undefined ? null : { epoch: "", seq: after }
    const answer = await client.request(["subscribe", `room:${room}`, cursor])
    // The head of the log before them has a position, too.
    if (cursor) onDeliveries(countIn(answer.slice(answer.indexOf(`"messages":`))))
    return client
  },
  publish: (client, room, text) =>
    client.request(["publish", `room:${room}`, [{ id: uuidv7(), event: "said", payload: { text } }]]),
}

/** Bare Socket.IO: rooms, `io.to(room).emit`, an acknowledgement, no log. */
export const bare: Stack = {
  name: "bare Socket.IO",
  isDurable: false,
  start: startOne("server-bare.ts"),
  async connect({ url, room, onDeliveries, onPacket }) {
    const client = await connectWire(url, {}, (packet) => {
      onDeliveries(1)
      onPacket?.(packet)
    })
    await client.request(["join", room])
    return client
  },
  publish: (client, room, text) => client.request(["message", room, text]),
}

/** The classic guide's server: `io.emit` to everyone, whatever room they look at; clients pick theirs. */
export const classic: Stack = {
  ...bare,
  name: "io.emit to everyone",
  async connect({ url, room, onDeliveries }) {
    const mark = `"${room}"`
    return connectWire(url, {}, (packet) => onDeliveries(packet.includes(mark) ? 1 : 0))
  },
  publish: (client, room, text) => client.request(["everyone", room, text]),
}

export const throughlineOverRedis: Stack = { ...throughline, start: startTwo("server-throughline.ts", true) }

export const bareOverRedis: Stack = {
  ...bare,
  name: "two bare Socket.IO servers, the same adapter",
  start: startTwo("server-bare.ts", false),
}
