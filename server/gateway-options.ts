import type { RealtimePublisher } from "throughline/server"
import type { Env } from "#lib/env/schema.ts"
import type { Logger } from "#lib/operations/logger.ts"
import { health, metrics, ready } from "#lib/operations/pages.ts"
import { createChat } from "#lib/realtime/create.ts"
import { hostChat } from "#lib/realtime/process-chat.ts"
import { createPublishers } from "#lib/realtime/publishers.ts"
import type { ServerOptions } from "./create-server.ts"

/** What a gateway of the chat runs with, on the app's port or on one of its own. */
export async function gatewayOptions(env: Env, logger: Logger) {
  return {
    logger,
    port: env.PORT,
    hostname: env.HOST,
    secret: env.SOCKET_INTERNAL_SECRET,
    allowedOrigins: env.SOCKET_CORS_ORIGIN,
    redisUrl: env.REDIS_URL,
    trustedProxies: env.TRUSTED_PROXIES,
    ownOrigins: env.APP_ORIGIN,
    maxConnections: env.MAX_CONNECTIONS,
    maxConnectionsPerAddress: env.MAX_CONNECTIONS_PER_ADDRESS,
    async createRealtime(publisher: RealtimePublisher) {
      const publishers = await createPublishers(env, publisher)
      const { realtime, limits, parts, close } = hostChat({
        env,
        ...(await createChat({ env, publishers, logger })),
      })
      const admit = (address: string) => limits.take("connections from an address", address)
      const pages: Record<string, (authorization: string | null) => Promise<Response> | Response> = {
        "/api/health": health,
        "/api/ready": () => ready(async () => parts),
        "/api/metrics": (authorization) => metrics(env.METRICS_TOKEN, authorization),
      }
      const answer = (path: string, authorization: string | null) =>
        Object.hasOwn(pages, path) ? (pages[path]?.(authorization) ?? null) : null
      return { ...realtime, admit, answer, close }
    },
    ...(env.METRICS_TOKEN && {
      watch: (await import("#lib/operations/metrics.ts")).getMetrics().watchGateway,
    }),
  } satisfies Partial<ServerOptions>
}
