import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { text } from "node:stream/consumers"
import Ably from "ably"
import { Pool } from "pg"
import Pusher from "pusher"
import { createPostgresLog } from "../log/postgres.ts"
import { createAblyPublisher } from "../providers/ably/server.ts"
import { createPusherPublisher } from "../providers/pusher/server.ts"
import { contractChannels, createContractRealtime } from "../testing/transport-contract/backend.ts"
import { answerMeter } from "./meter.ts"

/**
 * A function's publish and what of it nobody can spare: `/ours` is the route handler over PostgreSQL and a
 * provider; `/control` reads the request, commits one row and hands the same to the provider's SDK.
 */
const [provider = "", databaseUrl = "", options = "{}"] = process.argv.slice(2)
const pool = new Pool({ connectionString: databaseUrl })
await pool.query(
  "CREATE TABLE IF NOT EXISTS plain (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body text)",
)

interface Sdk {
  publisher: Parameters<typeof createContractRealtime>[0]["publishers"][number]
  /** Hands this to the service, with nothing around the SDK. */
  send(body: unknown): Promise<unknown>
}

const sdks: Record<string, (given: Record<string, string>) => Sdk> = {
  pusher(given) {
    const { appId = "", key = "", secret = "", host = "", port = "" } = given
    const bare = new Pusher({ appId, key, secret, host, port, useTLS: false })
    return {
      publisher: createPusherPublisher({
        ...{ appId, key, secret, host, port: Number(port), cluster: "mt1", tls: false },
      }),
      send: (body) => bare.trigger("private-plain", "messages", body),
    }
  },
  ably(given) {
    const { key = "", endpoint = "", port = "" } = given
    const bare = new Ably.Rest({ key, endpoint, port: Number(port), tls: false })
    return {
      publisher: createAblyPublisher({ apiKey: key, endpoint, port: Number(port), tls: false }),
      send: (body) => bare.channels.get("plain").publish("messages", body),
    }
  },
}
const sdk = sdks[provider]?.(JSON.parse(options) as Record<string, string>)
if (!sdk) throw new TypeError(`unable to measure "${provider}"`)
const realtime = createContractRealtime({ publishers: [sdk.publisher], log: createPostgresLog({ pool }) })

const answers: Record<string, (body: string) => Promise<unknown>> = {
  async control(body) {
    await pool.query("INSERT INTO plain (body) VALUES ($1)", [body])
    await sdk.send(JSON.parse(body))
  },
  async ours(body) {
    const headers = {
      "content-type": "application/json",
      "x-contract-user": encodeURIComponent('{"id":"bench"}'),
    }
    const request = new Request("http://bench.test/api/realtime/publish", { method: "POST", headers, body })
    const answer = await (await realtime.handlers.POST(request)).text()
    if (!answer.includes('"receipt"')) throw new Error(answer)
  },
}

const http = createServer(async (request, response) => {
  await answers[(request.url ?? "/").slice(1)]?.(await text(request))
  response.end("{}")
})
http.listen(0, "127.0.0.1", () => {
  const { port } = http.address() as AddressInfo
  answerMeter({ url: `http://127.0.0.1:${port}`, token: contractChannels.room({ room: "bench" }).name })
})
