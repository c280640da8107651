import { createChatRealtime } from "#lib/realtime/create.ts"
import { createServer } from "./create-server.ts"
import { loadEnv, projectDir } from "./env.ts"
import { createLogger } from "./logger.ts"
import { createNextApp } from "./next-app.ts"
import { run } from "./run.ts"

/** One process: Next.js and the gateway on one port. */
const dev = process.env.NODE_ENV !== "production"
const logger = createLogger("throughline", process.env.LOG_LEVEL)

await run(logger, async () => {
  const env = loadEnv({ dev })
  // Server code inside Next.js is another bundle; it reaches the gateway as it would reach one in another process.
  process.env.SOCKET_INTERNAL_URL = `http://${env.HOSTNAME ?? "127.0.0.1"}:${env.PORT}`
  const app = createNextApp({ dev, dir: projectDir, port: env.PORT, hostname: env.HOSTNAME })
  const server = await createServer({
    port: env.PORT,
    hostname: env.HOSTNAME,
    secret: env.SOCKET_INTERNAL_SECRET,
    allowedOrigins: env.SOCKET_CORS_ORIGIN,
    createRealtime: (publisher) => createChatRealtime({ env, publishers: [publisher] }),
    app,
    logger,
  })
  await app.ready
  logger.info({ url: server.url }, `ready on ${server.url}`)
  return server
})
