import { isIPv6 } from "node:net"
import type { RateLimiterMemory as Limiter, RateLimiterRes } from "rate-limiter-flexible"
// The file that it takes: the package's own door has bundlers follow, and warn of, all that its databases
// need. It has no types by itself.
// @ts-expect-error
import RateLimiterMemory from "rate-limiter-flexible/lib/RateLimiterMemory.js"
import { RealtimeError } from "../errors.ts"

/** Counts new guests by the address that they come from. What it returns rejects with `rate-limited`. */
export function createGuestLimit(perMinute: number): (request: Request) => Promise<void> {
  const limiter: Limiter = new RateLimiterMemory({ points: perMinute, duration: 60 })
  return async (request) => {
    try {
      await limiter.consume(networkOf(addressOf(request)))
    } catch (refusal) {
      const { msBeforeNext } = refusal as Partial<RateLimiterRes>
      if (msBeforeNext === undefined) throw refusal
      throw new RealtimeError("rate-limited", {
        message: "unable to let another guest in; too many came from this address",
        retryAfterMs: Math.max(msBeforeNext, 100),
      })
    }
  }
}

/** As the nearest proxy says; without one Next.js writes the address of the connection there. */
const addressOf = ({ headers }: Request) => headers.get("x-forwarded-for")?.split(",").at(-1)?.trim() ?? ""

/**
 * With IPv6 one customer of a provider has a network of 64 bits. Of what is no address, no more than one is
 * long.
 */
function networkOf(address: string): string {
  const [plain = ""] = address.split("%", 1)
  if (!isIPv6(plain) || plain.toLowerCase().startsWith("::ffff:")) return plain.slice(0, 64)
  const [head = ""] = new URL(`http://[${plain}]`).hostname.slice(1, -1).split("::")
  return [...head.split(":"), "0", "0", "0", "0"].slice(0, 4).join(":")
}
