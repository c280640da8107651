import type { IncomingMessage } from "node:http"
import proxyAddr from "proxy-addr"

/** A proxy on the same machine, as the guide sets one up. */
export const defaultTrustedProxies = ["loopback"]

export type ReadAddress = (request: IncomingMessage) => string

/**
 * Server: the address of whoever sent a request, past the proxies that are trusted, and no one else's word for it. `trusted` is
 * a list of addresses, networks (`10.0.0.0/8`) or the names `loopback`, `linklocal`, `uniquelocal`. From then on the request's
 * own headers say the same, for everything behind. Empty where the other side is gone already.
 */
export function createReadAddress(trusted: readonly string[]): ReadAddress {
  const trust = proxyAddr.compile([...trusted])
  return (request) => {
    const address = proxyAddr(request, trust) ?? ""
    request.headers["x-forwarded-for"] = address
    return address
  }
}
