import { createServer } from "node:http"
import { type Logger, loggedPath } from "#lib/operations/logger.ts"
import { createReadAddress, defaultTrustedProxies } from "./client-address.ts"
import type { App } from "./create-server.ts"
import { listen, type Stoppable } from "./listen.ts"
import { answerUnderId } from "./requests.ts"

export interface ServeAppOptions {
  app: App
  port: number
  hostname?: string | undefined
  /** Who may say on whose behalf a request comes. Default: this machine. */
  trustedProxies?: readonly string[]
  logger: Logger
  /** How long closing may take before what is left is cut. */
  closeTimeoutMs?: number
}

/** Serves the app alone: the gateway runs elsewhere, or the provider is a service. */
export async function serveApp(options: ServeAppOptions): Promise<Stoppable> {
  const {
    app,
    port,
    hostname,
    trustedProxies = defaultTrustedProxies,
    logger,
    closeTimeoutMs = 8_000,
  } = options
  const readAddress = createReadAddress(trustedProxies)
  const http = createServer((request, response) => {
    readAddress(request)
    answerUnderId(request, response, logger, () => {
      Promise.resolve(app.handle(request, response)).catch((error: unknown) => {
        logger.error({ err: error, path: loggedPath(request.url) }, "the app failed to answer")
        if (!response.headersSent) response.writeHead(500)
        response.end()
      })
    })
  })
  http.on("upgrade", (request, socket, head) => app.upgrade(request, socket, head))
  const { url } = await listen(http, port, hostname)

  return {
    url,
    async close() {
      const stopped = new Promise<void>((resolve) => http.close(() => resolve()))
      const cut = setTimeout(() => http.closeAllConnections(), closeTimeoutMs)
      http.closeIdleConnections()
      await app.close()
      await stopped
      clearTimeout(cut)
    },
  }
}
