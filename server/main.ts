import { linesForNeighbours } from "#lib/env/local-addresses.ts"
import { startTracing } from "#lib/tracing/server.ts"
import { createServer } from "./create-server.ts"
import { loadServerEnv, projectDir } from "./env.ts"
import { gatewayOptions } from "./gateway-options.ts"
import { usualPatience } from "./intake.ts"
import { createProgramLogger } from "./logger.ts"
import { createNextApp } from "./next-app.ts"
import { run } from "./run.ts"
import { serveApp } from "./serve-app.ts"
import { warm } from "./warm.ts"

/** The app. With the bundled gateway on the same port, unless another process or a service carries the messages. */
const dev = process.env.NODE_ENV !== "production"
const logger = await createProgramLogger("throughline", { dev })
// In development it is another process' child, and ends with it, however that ended.
if (process.connected) process.once("disconnect", () => process.exit(1))

await run(logger, async () => {
  const env = loadServerEnv({ dev })
  await startTracing(env)
  const hasGateway = env.REALTIME_PROVIDER.includes("socketio") && !env.SOCKET_URL
  const address = { port: env.PORT, hostname: env.HOST }
  // While a slow machine compiles nothing else may move, nor a connection be judged by that.
  const patience = dev ? { headMs: 600_000, requestMs: 600_000, silenceMs: 0 } : usualPatience
  const app = createNextApp({ ...address, dev, dir: projectDir })
  const server = hasGateway
    ? await createServer({ ...(await gatewayOptions(env, logger)), app, patience })
    : await serveApp({
        ...{ ...address, app, logger, patience },
        ...{ trustedProxies: env.TRUSTED_PROXIES, ownOrigins: env.APP_ORIGIN },
        ...{ maxConnections: env.MAX_CONNECTIONS, maxConnectionsPerAddress: env.MAX_CONNECTIONS_PER_ADDRESS },
      })
  await app.ready
  logger.info({ url: server.url }, `ready on ${server.url}`)
  if (dev && env.HOST === undefined)
    for (const line of linesForNeighbours(env, new URL(server.url).port)) logger.info(line)
  if (dev) void warm(server.url, logger)
  return server
})
