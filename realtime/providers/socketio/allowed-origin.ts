import type { IncomingMessage } from "node:http"

/**
 * Server: whether a page of this origin may connect. The same host may; others must be listed, as browsers
 * spell them: `new URL(…).origin`. What sends no origin is no browser and is judged by its ticket alone.
 */
export function isAllowedOrigin(request: IncomingMessage, allowed: readonly string[]): boolean {
  const { origin, host } = request.headers
  if (origin === undefined || allowed.includes(origin)) return true
  const page = URL.parse(origin)
  // A proxy may name the scheme's own port, which browsers leave out.
  return page !== null && page.host === URL.parse(`${page.protocol}//${host}`)?.host
}
