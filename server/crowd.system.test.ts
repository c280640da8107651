import { execSync } from "node:child_process"
import { pino } from "pino"
import { io as connectSocket } from "socket.io-client"
import { createContractHttp, createContractRealtime } from "throughline/testing"
import { expect, it } from "vitest"
import { createServer } from "./create-server.ts"

type ContractRealtime = ReturnType<typeof createContractRealtime>

/** How many files this process may have open; both ends of each connection are here. */
const mayOpen = Number(execSync("ulimit -Hn", { encoding: "utf8" })) || Number.POSITIVE_INFINITY

it.skipIf(mayOpen < 12_000)("a gateway takes five thousand connections at once", async () => {
  const server = await createServer({
    ...{ port: 0, hostname: "127.0.0.1", secret: "a secret of this test, long enough" },
    logger: pino({ level: "silent" }),
    // All of the crowd have one address here, and some come twice.
    maxConnectionsPerAddress: 10_000,
    createRealtime: (publisher) => createContractRealtime({ publishers: [publisher] }),
  })
  const app = createContractHttp(server.realtime as ContractRealtime, { id: "crowd" })
  const { ticket } = (await app.credentials("socketio", {})) as { ticket: string }
  const sockets = Array.from({ length: 5_000 }, () =>
    connectSocket(server.url, {
      ...{ transports: ["websocket"], forceNew: true, auth: { ticket } },
      // As the product's transport does: with jitter, again and again.
      ...{ reconnectionDelay: 100, reconnectionDelayMax: 1_000 },
    }),
  )
  const patience = 500_000
  const started = performance.now()
  while (!sockets.every(({ connected }) => connected) && performance.now() - started < patience)
    await new Promise((resolve) => setTimeout(resolve, 50))
  expect(sockets.filter(({ connected }) => connected)).toHaveLength(5_000)
  expect((await fetch(`${server.url}/nothing`)).status).toBe(404)
  for (const socket of sockets) socket.disconnect()
  await server.close()
})
