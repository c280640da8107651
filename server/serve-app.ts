import type { Logger } from "#lib/operations/logger.ts"
import { createReadAddress, defaultTrustedProxies } from "./client-address.ts"
import type { App } from "./create-server.ts"
import { createListener, endWithin, type HoldOptions, takeIn } from "./intake.ts"
import { listen, type Stoppable } from "./listen.ts"
import { createPageOrigin } from "./page-origin.ts"

export interface ServeAppOptions extends HoldOptions {
  app: App
  port: number
  hostname?: string | undefined
  /** Who may say on whose behalf a request comes. Default: this machine. */
  trustedProxies?: readonly string[]
  /** Where people open the app, as in `APP_ORIGIN`. */
  ownOrigins?: readonly string[]
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
    ownOrigins = [],
    logger,
    closeTimeoutMs = 8_000,
  } = options
  const http = createListener(options)
  const pageOrigin = createPageOrigin({ trustedProxies, ownOrigins, logger })
  const intake = takeIn(http, {
    ...options,
    trustedProxies,
    readAddress: createReadAddress(trustedProxies, logger),
    pageOrigin,
    answer: (request, response) => app.handle(request, response),
    upgrade: (request, socket, head) => app.upgrade(request, socket, head),
  })
  const { url } = await listen(http, port, hostname)

  return {
    url,
    async close() {
      const answered = intake.finish()
      const stopped = new Promise<void>((resolve) => http.close(() => resolve()))
      const cut = setTimeout(intake.cut, closeTimeoutMs)
      await endWithin(closeTimeoutMs, "the requests", answered, logger)
      await endWithin(closeTimeoutMs, "the app", app.close(), logger)
      await stopped
      clearTimeout(cut)
    },
  }
}
