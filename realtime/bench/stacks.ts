import { connectWire, type WireClient } from "./wire.ts"

/** One way to build the same thing: how to join a room, publish to it, and count what arrived. */
export interface Stack {
  name: string
  /** The file that serves it, in a process of its own. */
  server: string
  connect(
    url: string,
    token: string,
    room: string,
    onDeliveries: (count: number) => void,
  ): Promise<WireClient>
  /** Resolves when the server has taken the message. */
  publish(client: WireClient, room: string, text: string): Promise<unknown>
}

const countOf = (packet: string, mark: string) => packet.split(mark).length - 1

/** The gateway, the durable log on. */
export const throughline: Stack = {
  name: "throughline",
  server: "server-throughline.ts",
  async connect(url, ticket, room, onDeliveries) {
    const client = await connectWire(url, { ticket }, (packet) => onDeliveries(countOf(packet, '"seq":')))
    await client.request(["subscribe", `room:${room}`, null])
    return client
  },
  publish: (client, room, text) =>
    client.request([
      "publish",
      `room:${room}`,
      [{ id: crypto.randomUUID(), event: "said", payload: { text } }],
    ]),
}

/** Bare Socket.IO: rooms, `io.to(room).emit`, an acknowledgement, no log. */
export const bare: Stack = {
  name: "bare Socket.IO",
  server: "server-bare.ts",
  async connect(url, _token, room, onDeliveries) {
    const client = await connectWire(url, {}, () => onDeliveries(1))
    await client.request(["join", room])
    return client
  },
  publish: (client, room, text) => client.request(["message", room, text]),
}

/** The classic guide's server: `io.emit` to everyone, whatever room they look at; clients pick theirs. */
export const classic: Stack = {
  ...bare,
  name: "classic io.emit",
  async connect(url, _token, room, onDeliveries) {
    const mark = `"${room}"`
    const client = await connectWire(url, {}, (packet) => onDeliveries(packet.includes(mark) ? 1 : 0))
    return client
  },
  publish: (client, room, text) => client.request(["everyone", room, text]),
}
