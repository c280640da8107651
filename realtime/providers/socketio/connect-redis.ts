import { loadWith } from "../../optional-packages.ts"
import type { ClusterBus } from "./cluster.ts"
import type { RedisClusterOptions } from "./redis.ts"

/**
 * Server: connects gateways through Socket.IO's adapter for Redis Streams. One entry of the stream is what one gateway
 * committed together; each gateway emits it to its own sockets. A Redis that is away, also at the start, is waited for.
 * The packages `redis` and `@socket.io/redis-streams-adapter` are loaded here and nowhere else: where one of them isn't installed it rejects
 * with `invalid-config`.
 */
export async function connectRedisCluster(options: RedisClusterOptions): Promise<ClusterBus> {
  const packages = ["redis", "@socket.io/redis-streams-adapter"]
  const { createRedisBus } = await loadWith(packages, () => import("./redis.ts"))
  return createRedisBus(options)
}
