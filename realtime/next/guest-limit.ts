import { type OnError, RealtimeError } from "../errors.ts"
import { networkOf } from "../network.ts"

/** Throws `rate-limited`. `onError` hears of the first refusal in each window. */
export type GuestLimit = (request: Request, onError: OnError) => Promise<void> | void

const windowMs = 60_000
/** Where anybody may write the header, each value would be another key. What comes beyond counts as one. */
const maxNetworks = 10_000
/** Of what is no address. */
const maxKeyLength = 64

/** Counts new guests by the address that they come from. */
export function createGuestLimit(perMinute: number): GuestLimit {
  const counts = new Map<string, number>()
  let endsAt = 0
  let isTold = false
  return (request, onError) => {
    const now = performance.now()
    if (now >= endsAt) {
      counts.clear()
      endsAt = now + windowMs
      isTold = false
    }
    const network = networkOf(addressOf(request)).slice(0, maxKeyLength)
    const key = counts.has(network) || counts.size < maxNetworks ? network : "others"
    const count = (counts.get(key) ?? 0) + 1
    counts.set(key, count)
    if (count <= perMinute) return
    if (!isTold) {
      isTold = true
      onError(tooMany(perMinute, key), { stage: "let a guest in" })
    }
    throw new RealtimeError("rate-limited", {
      message: "unable to let another guest in; too many came from this address",
      retryAfterMs: Math.max(Math.ceil(endsAt - now), 100),
    })
  }
}

/** For whoever runs the server, who alone can tell a script from a proxy. */
const tooMany = (perMinute: number, key: string) =>
  new RealtimeError("rate-limited", {
    message: `unable to let more guests in from ${key === "" ? "nowhere (no X-Forwarded-For)" : key}; more than ${perMinute} came within a minute. If that is a proxy of yours, visitors are being refused: guests({ limit }) takes another number, or a function that knows them apart`,
  })

/** As the nearest proxy says; without one Next.js writes the address of the connection there. */
const addressOf = ({ headers }: Request) => headers.get("x-forwarded-for")?.split(",").at(-1)?.trim() ?? ""
