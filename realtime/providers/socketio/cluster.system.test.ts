import { describeTransportContract } from "throughline/testing"
import { describe } from "vitest"
import { createMemoryLogStore } from "../../log/memory.ts"
import { startGateway } from "../../testing/gateway-over-redis.ts"
import { findRedis, startRedis } from "../../testing/redis.ts"
import { createSocketIoBackend } from "../../testing/socketio-backend.ts"
import { waitFor } from "../../testing/wait-for.ts"

const isMissing = !findRedis()
const unless = isMissing ? " (skipped: Redis not found)" : ""

describe.skipIf(isMissing)(`several gateways${unless}`, () => {
  describeTransportContract({
    name: "socketio, three gateways over Redis",
    async start() {
      const redis = await startRedis()
      const shared = { redisUrl: redis.url, store: createMemoryLogStore(), streamName: "contract" }
      const gateways = await Promise.all(Array.from({ length: 3 }, () => startGateway(shared)))
      const [first, ...others] = gateways
      if (!first) throw new Error("no gateway")
      await waitFor(() => gateways.every(({ bus }) => bus.isConnected))
      return createSocketIoBackend({
        ...{ url: first.url, http: first.http, realtime: first.realtime, others },
        async close() {
          await Promise.all(gateways.map((gateway) => gateway.close()))
          await redis[Symbol.asyncDispose]()
        },
      })
    },
  })
})
