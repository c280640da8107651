import { startTracing } from "#lib/tracing/server.ts"
import { createServer } from "./create-server.ts"
import { loadServerEnv } from "./env.ts"
import { gatewayOptions } from "./gateway-options.ts"
import { createProgramLogger } from "./logger.ts"
import { run } from "./run.ts"

/** The gateway alone, on a port of its own: Next.js runs elsewhere and its origin is listed in `SOCKET_CORS_ORIGIN`. */
process.env.PORT ??= "3001"
const dev = process.env.NODE_ENV !== "production"
const logger = await createProgramLogger("gateway", { dev })

await run(logger, async () => {
  const env = loadServerEnv({ dev })
  await startTracing(env)
  const server = await createServer(await gatewayOptions(env, logger))
  logger.info({ url: server.url }, `gateway ready on ${server.url}`)
  return server
})
