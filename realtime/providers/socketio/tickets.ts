import { jwtVerify, SignJWT } from "jose"
import { RealtimeError } from "../../errors.ts"
import { parseUser, type User } from "../../message.ts"
import { provider } from "./mapping.ts"

/**
 * Server: a ticket lets its holder open a connection as one user, within a minute. The app signs it for whoever is
 * signed in; the gateway, which sees no cookie of the app, verifies it.
 */
export interface Tickets {
  issue(user: User): Promise<string>
  /** Rejects with `unauthorized`. */
  verify(ticket: unknown): Promise<User>
}

const audience = "throughline-gateway"

export function createTickets(options: { secret: string; ttlMs?: number; now?: () => number }): Tickets {
  const { ttlMs = 60_000, now = Date.now } = options
  const key = new TextEncoder().encode(`ticket:${options.secret}`)

  return {
    issue(user) {
      const issuedAt = now() / 1000
      return new SignJWT(user.name === undefined ? {} : { name: user.name })
        .setProtectedHeader({ alg: "HS256" })
        .setSubject(user.id)
        .setAudience(audience)
        .setIssuedAt(Math.floor(issuedAt))
        .setExpirationTime(Math.ceil(issuedAt + ttlMs / 1000))
        .sign(key)
    },
    async verify(ticket) {
      try {
        const { payload } = await jwtVerify(String(ticket), key, {
          algorithms: ["HS256"],
          audience,
          clockTolerance: 5,
          currentDate: new Date(now()),
          requiredClaims: ["sub", "exp"],
        })
        const user = parseUser({ id: payload.sub, name: payload.name })
        if (user) return user
      } catch (cause) {
        const message = "unable to connect; the ticket is expired or was not signed here"
        throw new RealtimeError("unauthorized", { provider, message, cause })
      }
      throw new RealtimeError("unauthorized", {
        provider,
        message: "unable to connect; the ticket names nobody",
      })
    },
  }
}
