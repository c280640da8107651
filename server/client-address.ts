import type { IncomingMessage } from "node:http"
import proxyAddr from "proxy-addr"
import type { Logger } from "#lib/operations/logger.ts"
import { createOnce } from "#lib/operations/once.ts"

/** A proxy on the same machine, as the guide sets one up. */
export const defaultTrustedProxies = ["loopback"]

export type ReadAddress = (request: IncomingMessage) => string

/**
 * Server: the address of whoever sent a request, past the proxies that are trusted, and no one else's word for it. `trusted` is
 * a list of addresses, networks (`10.0.0.0/8`) or the names `loopback`, `linklocal`, `uniquelocal`. From then on the request's
 * own headers say the same, for everything behind. Empty where the other side is gone already. Whoever isn't trusted and speaks for
 * others is named in the log, once for each: if it is a proxy, all visitors are one address to the limits.
 */
export function createReadAddress(trusted: readonly string[], logger: Logger): ReadAddress {
  const isTrusted = proxyAddr.compile([...trusted])
  const isNew = createOnce()
  return (request) => {
    const { headers, socket } = request
    const address = proxyAddr(request, isTrusted) ?? ""
    const said = headers["x-forwarded-for"]
    // Of a request that was read before, they are its sender's address.
    if (address && said && said !== address && !isTrusted(socket.remoteAddress ?? "", 0) && isNew(address))
      logger.warn(
        { from: address },
        "requests name another visitor than who sends them, which isn't believed. If the sender is your proxy, list it in " +
          "TRUSTED_PROXIES: until then everybody behind it shares the limits of one address",
      )
    headers["x-forwarded-for"] = address
    return address
  }
}
