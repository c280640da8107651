import type { IncomingMessage } from "node:http"
import proxyAddr from "proxy-addr"
import { isAllowedOrigin } from "throughline/socketio/gateway"
import type { Logger } from "#lib/operations/logger.ts"
import { createOnce } from "#lib/operations/once.ts"

export interface PageOriginOptions {
  /** Who may say which host a browser asked for, as in `TRUSTED_PROXIES`. */
  trustedProxies: readonly string[]
  /** Where people open the app, as in `APP_ORIGIN`. */
  ownOrigins: readonly string[]
  logger: Logger
}

export interface PageOrigin {
  /** From then on the request's own headers say which host the browser asked for, for everything behind. */
  readHost(request: IncomingMessage): void
  /** A page of another origin was turned away: said once for each, since behind a proxy it may be our own. */
  refused(request: IncomingMessage): void
}

/**
 * Server: whose page a request comes from. All that compare a page's origin with the host, the intake and Next.js for forms and the
 * gateway for sockets, find the browser's in `Host`: a trusted proxy's word, else, where a proxy keeps it to itself, what the browser says by `Sec-Fetch-Site`, which
 * needn't come with a WebSocket, or the operator by `APP_ORIGIN`.
 */
export function createPageOrigin({ trustedProxies, ownOrigins, logger }: PageOriginOptions): PageOrigin {
  const isTrusted = proxyAddr.compile([...trustedProxies])
  const isNew = createOnce()

  return {
    readHost(request) {
      const { headers, socket } = request
      const forwarded = isTrusted(socket.remoteAddress ?? "", 0) && headers["x-forwarded-host"]
      const host = forwarded ? String(forwarded).split(",", 1)[0]?.trim() : headers.host
      delete headers["x-forwarded-host"]
      if (host === undefined) return
      headers.host = host
      const page = URL.parse(headers.origin ?? "")
      // No page can send `Sec-Fetch-Site`, and none of another site's comes with this value.
      if (page && (headers["sec-fetch-site"] === "same-origin" || isAllowedOrigin(request, ownOrigins)))
        headers.host = page.host
    },
    refused({ headers: { origin = "", host }, socket: { remoteAddress } }) {
      const page = origin.slice(0, 200)
      if (!isNew(page)) return
      logger.warn(
        { origin: page, host, from: remoteAddress },
        "a page of another origin was refused. If it is this app's, behind a proxy: let the proxy send X-Forwarded-Host " +
          "and list it in TRUSTED_PROXIES, or set APP_ORIGIN to that origin. If it is another app's that uses this gateway: " +
          "list it in SOCKET_CORS_ORIGIN (which counts for sockets alone)",
      )
    },
  }
}
