import { pino } from "pino"
import { io as connectSocket } from "socket.io-client"
import type { AttachedGateway } from "throughline/socketio/gateway"
import { createContractHttp, createContractRealtime, wireOf } from "throughline/testing"
import { expect, it } from "vitest"
import { createServer } from "./create-server.ts"

type ContractRealtime = ReturnType<typeof createContractRealtime>

/** A ping after 25 s, answered within 20; the WebSocket's farewell is waited for half a minute more. And what a busy machine adds. */
const patienceMs = 75_000 + 15_000

it("lets go of a page that is gone without a word, within a minute", async () => {
  let stats: AttachedGateway["stats"] | undefined
  const server = await createServer({
    watch: (gateway) => {
      stats = gateway.stats
    },
    ...{ port: 0, hostname: "127.0.0.1", secret: "a secret of this test, long enough" },
    logger: pino({ level: "silent" }),
    createRealtime: (publisher) => createContractRealtime({ publishers: [publisher] }),
  })
  const app = createContractHttp(server.realtime as ContractRealtime, { id: "alice" })
  const { ticket } = (await app.credentials("socketio", {})) as { ticket: string }
  const connect = () =>
    connectSocket(server.url, {
      ...{ transports: ["websocket"], forceNew: true, reconnection: false, auth: { ticket } },
    })
  const [gone, here] = [connect(), connect()]
  const connected = (socket: typeof gone) =>
    new Promise<void>((resolve) => socket.on("connect", () => resolve()))
  await Promise.all([gone, here].map(connected))
  const connections = () =>
    new Promise<number>((resolve, reject) =>
      server.http.getConnections((error, count) => (error ? reject(error) : resolve(count))),
    )
  expect([stats?.().connections, await connections()]).toEqual([2, 2])
  // It neither reads nor writes, and no packet says that it is gone.
  wireOf(gone).pause()
  const started = performance.now()
  let goneAfterMs = Number.POSITIVE_INFINITY
  while ((await connections()) > 1 && performance.now() - started < patienceMs) {
    if (stats?.().connections === 1) goneAfterMs = Math.min(goneAfterMs, performance.now() - started)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  expect([stats?.().connections, await connections()]).toEqual([1, 1])
  expect(goneAfterMs).toBeLessThan(60_000)
  expect(here.connected).toBe(true)
  for (const socket of [gone, here]) socket.disconnect()
  await server.close()
})
