import { createChat } from "#lib/realtime/create.ts"
import { createServer } from "./create-server.ts"
import { loadServerEnv, projectDir } from "./env.ts"
import { createLogger } from "./logger.ts"
import { createNextApp } from "./next-app.ts"
import { run } from "./run.ts"
import { serveApp } from "./serve-app.ts"

/** The app. With the bundled gateway on the same port, unless another process or a service carries the messages. */
const dev = process.env.NODE_ENV !== "production"
const logger = await createLogger("throughline", { dev, level: process.env.LOG_LEVEL })

await run(logger, async () => {
  const env = loadServerEnv({ dev })
  const hasGateway = env.REALTIME_PROVIDER.includes("socketio") && !env.SOCKET_URL
  // Server code inside Next.js is another bundle; it reaches the gateway as it would reach one in another process.
  if (hasGateway) process.env.SOCKET_INTERNAL_URL = `http://${env.HOST ?? "127.0.0.1"}:${env.PORT}`

  const address = { port: env.PORT, hostname: env.HOST, logger }
  const app = createNextApp({ ...address, dev, dir: projectDir })
  const server = hasGateway
    ? await createServer({
        ...address,
        app,
        secret: env.SOCKET_INTERNAL_SECRET,
        allowedOrigins: env.SOCKET_CORS_ORIGIN,
        async createRealtime(publisher) {
          const { realtime, close } = await createChat({ env, publishers: [publisher] })
          return { ...realtime, close }
        },
      })
    : await serveApp({ ...address, app })
  await app.ready
  logger.info({ url: server.url }, `ready on ${server.url}`)
  return server
})
