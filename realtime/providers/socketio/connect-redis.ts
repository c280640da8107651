import { notInstalled, toImportError } from "../../optional-packages.ts"
import type { ClusterBus } from "./cluster.ts"
import { createRedisBus, type RedisClusterOptions } from "./redis.ts"

const packages = ["redis", "@socket.io/redis-streams-adapter"] as const

/**
 * Server: connects gateways through Socket.IO's adapter for Redis Streams. One entry of the stream is what
 * one gateway committed together; each gateway emits it to its own sockets. A Redis that is away, also at the
 * start, is waited for. The packages `redis` and `@socket.io/redis-streams-adapter` are loaded here and
 * nowhere else: where one of them isn't installed it rejects with `invalid-config`.
 */
export async function connectRedisCluster(options: RedisClusterOptions): Promise<ClusterBus> {
  return createRedisBus(await load(), options)
}

async function load() {
  try {
    const [{ createClient }, { createAdapter }] = await Promise.all([
      import("redis"),
      import("@socket.io/redis-streams-adapter"),
    ])
    if (!createClient) throw notInstalled(packages[0], packages)
    return { createClient, createAdapter }
  } catch (cause) {
    throw toImportError(packages, cause)
  }
}
