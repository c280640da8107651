import { setTimeout as delay } from "node:timers/promises"
import { startMetered } from "./meter.ts"
import { connectWire, type WireClient } from "./wire.ts"

const people = 50
const perSecond = 20
const seconds = 20
const room = "cursors"

interface Stack {
  file: string
  join(url: string, token: string, onPacket: (packet: string) => void): Promise<WireClient>
  move(client: WireClient, page: number, n: number): unknown
}

const throughline: Stack = {
  file: "server-throughline.ts",
  async join(url, token, onPacket) {
    const client = await connectWire(url, { ticket: token }, onPacket)
    await client.request(["subscribe", `room:${room}`, null])
    return client
  },
  move: (client, page, n) =>
    client.request(["signal", `room:${room}`, "moved", { at: n }, { page: `page ${page}`, n }]),
}

const bare: Stack = {
  file: "server-bare.ts",
  async join(url, _token, onPacket) {
    const client = await connectWire(url, {}, onPacket)
    await client.request(["join", room])
    return client
  },
  move: (client, _page, n) => client.emit(["moved", room, { at: n }]),
}

/** The server's share of a core while everybody moves, and how many packets a person is sent a second. */
async function measure({ file, join, move }: Stack) {
  await using server = await startMetered(file)
  let packets = 0
  let lastOfOthers = 0
  const clients = await Promise.all(
    Array.from({ length: people }, (_, page) =>
      join(server.url, server.token, (packet) => {
        if (page !== 0 || !packet.includes("moved")) return
        packets += 1
        lastOfOthers = Math.max(
          lastOfOthers,
          ...[...packet.matchAll(/"at":(\d+)[,}]/g)].map(([, n]) => Number(n)),
        )
      }),
    ),
  )
  const before = await server.read()
  const began = performance.now()
  const moves = perSecond * seconds
  await Promise.all(
    clients.map(async (client, page) => {
      for (let n = 1; n <= moves; n += 1) {
        const waitMs = began + ((n + page / people) * 1_000) / perSecond - performance.now()
        if (waitMs > 1) await delay(waitMs)
        void move(client, page, n)
      }
    }),
  )
  const wallMs = performance.now() - began
  const after = await server.read()
  await delay(200)
  for (const client of clients) client.close()
  return { cores: (after.cpu - before.cpu) / 1_000 / wallMs, packets: packets / seconds, lastOfOthers }
}

/** Pointers: all of a room move at once, each as often as a page is let. */
export const cursors = {
  scenario: `${people} people in one room, each moving ${perSecond} times a second`,
  async measure() {
    const control = await measure(bare)
    const ours = await measure(throughline)
    if (ours.lastOfOthers < perSecond * seconds) throw new Error("somebody's last place didn't come")
    return [
      {
        ...{ metric: "share of a core", against: "half a core", target: "<= 1" },
        pair: { ours: ours.cores, control: 0.5 },
      },
      {
        ...{ metric: "CPU", against: "bare Socket.IO, each on its own", target: null },
        pair: { ours: ours.cores, control: control.cores },
      },
      {
        ...{ metric: "packets a second to each", against: "bare Socket.IO, each on its own", target: null },
        pair: { ours: ours.packets, control: control.packets },
      },
    ]
  },
}
