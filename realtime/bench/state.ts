import { once } from "node:events"
import { type AddressInfo, connect, createServer, type Socket } from "node:net"
import { io } from "socket.io-client"
import { createRealtimeClient } from "../client/create-realtime-client.ts"
import { watchState } from "../client/watch-state.ts"
import { createSocketIoTransport } from "../providers/socketio/client.ts"
import type { ClientConfig } from "../server/types.ts"
import { waitFor } from "../testing/wait-for.ts"
import { configOf } from "./clients.ts"
import { startMetered } from "./meter.ts"
import { bench, keys } from "./state-channel.ts"

const pages = 200
const slowPages = 20
const seconds = 30
/** How often a second each key changes: more often than any page is told. */
const perSecond = 20
/** How often a second a page is told. */
const toldPerSecond = 4

/** A page that counts what it is told, and says whether a key went back. */
function openPage(config: ClientConfig) {
  const client = createRealtimeClient({
    config,
    providers: { socketio: async () => createSocketIoTransport },
  })
  const newest = new Map<string, number>()
  let updates = 0
  let wentBack: string | null = null
  const watch = watchState(
    client.channel(bench),
    keys,
    (values) => {
      for (const key of keys) {
        const { n } = values[key] ?? { n: 0 }
        const known = newest.get(key) ?? 0
        if (n < known) wentBack ??= `${key} went back from ${known} to ${n}`
        if (n > known) updates += 1
        newest.set(key, n)
      }
    },
    { perSecond: toldPerSecond },
  )
  client.open()
  return {
    watch,
    updates: () => updates,
    wentBack: () => wentBack,
    hasAll: (n: number) => keys.every((key) => newest.get(key) === n),
    close: () => client.close(),
  }
}

/** A way to the server on which so many bytes a second come back. */
async function startNarrowWay(to: string, bytesPerSecond: number) {
  const { hostname, port } = new URL(to)
  const sockets = new Set<Socket>()
  const server = createServer((page) => {
    const target = connect(Number(port), hostname)
    for (const socket of [page, target]) sockets.add(socket.on("error", () => {}))
    page.pipe(target)
    let allowed = 0
    const timer = setInterval(() => {
      allowed += bytesPerSecond / 10
      const taken = target.read(Math.min(Math.floor(allowed), target.readableLength)) as Buffer | null
      allowed = Math.min(bytesPerSecond, allowed - (taken?.length ?? 0))
      if (taken) page.write(taken)
    }, 100)
    target.on("readable", () => {}).on("close", () => clearInterval(timer))
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.dispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

async function measure() {
  await using server = await startMetered("server-state.ts")
  using narrow = await startNarrowWay(server.url, 1_000)
  const config = await configOf(server.url)
  const opened = Array.from({ length: pages }, () => openPage(config))
  await waitFor(() => opened.every(({ watch }) => watch.isReady))
  const slow = await Promise.all(
    Array.from({ length: slowPages }, async () => {
      const auth = { ticket: server.token }
      const socket = io(narrow.url, { auth, transports: ["websocket"], forceNew: true })
      await once(socket as never, "connect")
      await socket.emitWithAck("subscribe", bench.name, null)
      await socket.emitWithAck("state", bench.name, { keys, perSecond: toldPerSecond })
      return socket
    }),
  )
  const path = `${server.url}/change?perSecond=${perSecond}&seconds=${seconds}`
  const done = (await (await fetch(path, { method: "POST" })).json()) as { changes: number; waited: number }
  await waitFor(() => opened.every(({ hasAll }) => hasAll(done.changes)))
  const [failure] = opened.flatMap(({ wentBack }) => wentBack() ?? [])
  if (failure) throw new Error(failure)
  const most = Math.max(...opened.map(({ updates }) => updates()))
  for (const socket of slow) socket.disconnect()
  await Promise.all(opened.map(({ close }) => close()))
  return { updates: most / seconds, waited: done.waited }
}

/**
 * Keyed state under a writer that is faster than every page, beside what it may be: how much a page is told,
 * with all last values right and none that goes back, and what waits for a page that hardly reads.
 */
export const state = {
  scenario: `${pages} pages × ${keys.length} keys of state, ${slowPages} more that read 1 kB/s`,
  async measure() {
    const { updates, waited } = await measure()
    return [
      {
        ...{ metric: "updates per second of a page", against: "what a page asks for" },
        // Once more at the beginning, when everything is there at once.
        pair: { ours: updates, control: keys.length * (toldPerSecond + 1 / seconds) },
      },
      {
        ...{ metric: "bytes that wait for a slow page", against: "128 KiB" },
        pair: { ours: waited, control: 128 * 1024 },
      },
    ].map((row) => ({ ...row, target: "<= 1" }))
  },
}
