import { mkdtempSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Server } from "socket.io"
import { createSqliteLog } from "../log/sqlite.ts"
import { attachGateway, connectRedisCluster, createBroadcaster } from "../providers/socketio/gateway.ts"
import { createContractRealtime } from "../testing/transport-contract/backend.ts"
import { answerMeter } from "./meter.ts"

/**
 * The gateway with the embedded log, durable at each commit; with a Redis and a PostgreSQL
 * in its arguments, one of several.
 */
const [redisUrl, databaseUrl] = process.argv.slice(2)
const http = createServer()
const io = new Server(http, { serveClient: false })
const bus = redisUrl ? await connectRedisCluster({ io, url: redisUrl }) : undefined
const broadcaster = createBroadcaster({ io, secret: "a secret of this benchmark", bus })
const log = databaseUrl
  ? (await import("../log/postgres.ts")).createPostgresLog({ connectionString: databaseUrl })
  : createSqliteLog({ path: join(mkdtempSync(join(tmpdir(), "throughline-bench-")), "log.db") })
const realtime = createContractRealtime({ publishers: [broadcaster.publisher], log })
attachGateway({ broadcaster, core: realtime.core })

http.listen(0, "127.0.0.1", async () => {
  const token = broadcaster.tickets.issue({ id: "bench", name: "Bench" })
  answerMeter({ url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`, token })
})
