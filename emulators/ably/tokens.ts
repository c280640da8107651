import { createHmac, timingSafeEqual } from "node:crypto"
import { type Capability, formatCapability, intersectCapabilities, parseCapability } from "./capability.ts"
import { ablyError } from "./errors.ts"
import type { App, Key, Token } from "./model.ts"
import { isRecord } from "./wire.ts"

/** ably/README.md §3.2. */
export interface TokenDetails {
  token: string
  keyName: string
  issued: number
  expires: number
  capability: string
  clientId?: string
}

const DEFAULT_TTL = 3_600_000
/** No token lives longer. */
export const MAX_TTL = 86_400_000

/** §3.2 `POST /keys/{keyName}/requestToken`: the service's checks, in its order. */
export function requestToken(app: App, key: Key, request: unknown, authenticated: boolean): TokenDetails {
  if (!isRecord(request)) throw ablyError(40001, "a TokenRequest is an object")
  if (request.keyName !== undefined && request.keyName !== key.name)
    throw ablyError(40003, "keyName differs from the key in the path")
  const now = app.clock.now()
  // Who sends the key itself needs no mac; one that is there has to be right all the same.
  if (!authenticated || request.mac !== undefined) verifyTokenRequest(app, key, request, now)

  const ttl = readTtl(request.ttl)
  const clientId = readClientId(request.clientId)
  const capability =
    request.capability === undefined || request.capability === null || request.capability === ""
      ? key.capability
      : intersectCapabilities(parseCapability(request.capability), key.capability)
  return issueToken(app, key, { ttl, capability, clientId })
}

/** Issues an Ably token directly; tests use it where how the token was asked for is not the subject. */
export function issueToken(
  app: App,
  key: Key,
  options: { ttl?: number; capability?: Capability; clientId?: string } = {},
): TokenDetails {
  const issued = app.clock.now()
  const { ttl = DEFAULT_TTL, capability = key.capability, clientId } = options
  const details: TokenDetails = {
    token: `${app.id}.${app.random.string(32)}`,
    keyName: key.name,
    issued,
    expires: issued + ttl,
    capability: formatCapability(capability),
    clientId,
  }
  app.tidyLater()
  app.tokens.set(details.token, {
    key,
    capability,
    issued,
    expires: details.expires,
    clientId,
  })
  return details
}

/** §3.2: the text under `mac` has one line per field, the last one ended too; absent values are empty lines. */
export function signTokenRequest(secret: string, request: Record<string, unknown>): string {
  const fields = ["keyName", "ttl", "capability", "clientId", "timestamp", "nonce"]
  const text = fields.map((field) => `${request[field] ?? ""}\n`).join("")
  return createHmac("sha256", secret).update(text).digest("base64")
}

function verifyTokenRequest(app: App, key: Key, request: Record<string, unknown>, now: number) {
  const { timestamp, nonce, mac } = request
  if (typeof mac !== "string" || typeof nonce !== "string")
    throw ablyError(40101, "a TokenRequest carries mac and nonce")
  if (!equal(mac, signTokenRequest(key.secret, request))) throw ablyError(40101, "the mac does not match")
  // Without a number, the comparison fails too.
  if (!(Math.abs(now - readNumber(timestamp)) <= app.limits.timestampTolerance)) throw ablyError(40104)
  if (app.nonces.get(nonce)) throw ablyError(40105)
  app.nonces.add(nonce, true)
}

function readTtl(value: unknown): number {
  if (value === undefined || value === null || value === "") return DEFAULT_TTL
  const ttl = readNumber(value)
  if (!(ttl > 0 && ttl <= MAX_TTL)) throw ablyError(40003, "invalid ttl")
  return ttl
}

/** A number, or its decimal text, which some SDKs and every query send; NaN of anything else. */
function readNumber(value: unknown): number {
  if (typeof value === "number") return value
  return typeof value === "string" && /^\d+$/.test(value) ? Number(value) : Number.NaN
}

function readClientId(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value !== "string" || value === "") throw ablyError(40012)
  return value
}

/** §3.3: HS256, `kid` = key name, times in seconds. The caller has found the app and key that `kid` names. */
export function readJwt(app: App, key: Key, jwt: string): Token {
  const known = app.tokens.get(jwt)
  if (known) return known
  const [header = "", payload = "", signature = ""] = jwt.split(".")
  const expected = createHmac("sha256", key.secret).update(`${header}.${payload}`).digest("base64url")
  if (!equal(signature, expected)) throw ablyError(40144, "invalid JWT: signature verification failed")
  const claims = parsePart(payload)
  const { iat, exp } = claims
  if (typeof iat !== "number" || typeof exp !== "number")
    throw ablyError(40144, "invalid JWT: iat and exp are required")
  const now = app.clock.now()
  if (iat * 1000 > now + app.limits.timestampTolerance)
    throw ablyError(40144, "invalid JWT: iat is in the future")
  if ((exp - iat) * 1000 > MAX_TTL) throw ablyError(40144, "invalid JWT: it lives for more than 24 hours")
  const capability = claims["x-ably-capability"]
  const clientId = claims["x-ably-clientId"]
  const revocationKey = claims["x-ably-revocation-key"]
  if (clientId !== undefined && (typeof clientId !== "string" || clientId === "")) throw ablyError(40012)

  const token: Token = {
    key,
    capability:
      capability === undefined
        ? key.capability
        : intersectCapabilities(parseCapability(capability), key.capability),
    // `iat` counts whole seconds: but for the first sight, a token made right after a revocation would count as older.
    issued: Math.min(iat * 1000 + 999, now),
    expires: exp * 1000,
    ...(typeof clientId === "string" ? { clientId } : {}),
    ...(typeof revocationKey === "string" ? { revocationKey } : {}),
  }
  app.tidyLater()
  app.tokens.set(jwt, token)
  return token
}

/** The key name in a JWT's header; 40144 if it is no JWT that we can read. */
export function keyNameOfJwt(jwt: string): string {
  const { kid, alg } = parsePart(jwt.split(".")[0] ?? "")
  if (alg !== "HS256") throw ablyError(40144, "invalid JWT: alg is HS256")
  if (typeof kid !== "string") throw ablyError(40144, "invalid JWT: kid is the key name")
  return kid
}

export function isJwt(token: string): boolean {
  return token.split(".").length === 3
}

function parsePart(part: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, "base64url").toString("utf8"))
    if (isRecord(value)) return value
  } catch {
    // Falls through to the one error that both kinds of damage have.
  }
  throw ablyError(40144)
}

function equal(one: string, other: string): boolean {
  const a = Buffer.from(one)
  const b = Buffer.from(other)
  return a.length === b.length && timingSafeEqual(a, b)
}
