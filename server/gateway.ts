import { createChat } from "#lib/realtime/create.ts"
import { createServer } from "./create-server.ts"
import { loadServerEnv } from "./env.ts"
import { createLogger } from "./logger.ts"
import { run } from "./run.ts"

/** The gateway alone, on a port of its own: Next.js runs elsewhere and its origin is listed in `SOCKET_CORS_ORIGIN`. */
process.env.PORT ??= "3001"
const dev = process.env.NODE_ENV !== "production"
const logger = await createLogger("gateway", { dev, level: process.env.LOG_LEVEL })

await run(logger, async () => {
  const env = loadServerEnv({ dev })
  const server = await createServer({
    port: env.PORT,
    hostname: env.HOST,
    secret: env.SOCKET_INTERNAL_SECRET,
    allowedOrigins: env.SOCKET_CORS_ORIGIN,
    async createRealtime(publisher) {
      const { realtime, close } = await createChat({ env, publishers: [publisher] })
      return { ...realtime, close }
    },
    logger,
  })
  logger.info({ url: server.url }, `gateway ready on ${server.url}`)
  return server
})
