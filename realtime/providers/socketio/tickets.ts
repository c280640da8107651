import { createHmac } from "node:crypto"
import { sign, unsign } from "cookie-signature"
import { RealtimeError } from "../../errors.ts"
import { parseUser, type User } from "../../message.ts"
import { provider } from "./mapping.ts"

/**
 * Server: a ticket lets its holder open a connection as one user, within a minute. The app signs it for
 * whoever is signed in; the gateway, which sees no cookie of the app, verifies it. It is
 * `base64url(JSON).signature`, and is verified without leaving the event loop's turn: thousands may come back
 * at once, and WebCrypto's detour costs each of them four times as much
 * (docs/decisions/2026-11-26-tickets-in-one-turn.md).
 */
export interface Tickets {
  issue(user: User): string
  /** Throws `unauthorized`. */
  verify(ticket: unknown): User
}

/** What is signed. Seconds would do, but milliseconds need no rounding that both sides have to agree on. */
interface Claims {
  user: User
  /** In milliseconds since 1970, by the app's clock. */
  expiresAt: number
}

/** The app's clock and the gateway's may differ by so much. */
const clockToleranceMs = 5_000

export function createTickets(options: { secret: string; ttlMs?: number; now?: () => number }): Tickets {
  const { ttlMs = 60_000, now = Date.now } = options
  if (options.secret === "") {
    throw new RealtimeError("invalid-config", {
      provider,
      message: "unable to sign tickets; the secret that the app and the gateway share is empty",
    })
  }
  // A key of its own: what else is signed with the same secret is no ticket.
  const key = createHmac("sha256", options.secret).update("throughline-gateway ticket").digest("base64")

  return {
    issue({ id, name }) {
      const claims: Claims = { user: name === undefined ? { id } : { id, name }, expiresAt: now() + ttlMs }
      return sign(Buffer.from(JSON.stringify(claims)).toString("base64url"), key)
    },
    verify(ticket) {
      const signed = typeof ticket === "string" && unsign(ticket, key)
      if (!signed) throw refused("it was not signed here")
      const { user, expiresAt } = JSON.parse(Buffer.from(signed, "base64url").toString()) as Claims
      if (expiresAt + clockToleranceMs < now()) throw refused("it is expired")
      const named = parseUser(user)
      if (!named) throw refused("it names nobody")
      return named
    },
  }
}

const refused = (reason: string) =>
  new RealtimeError("unauthorized", { provider, message: `unable to connect with this ticket; ${reason}` })
