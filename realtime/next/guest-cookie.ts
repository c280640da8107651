import { sign, unsign } from "cookie-signature"
import { v7 as uuidv7 } from "uuid"
import { isDevelopment } from "../is-development.ts"
import { parseUser, type User } from "../message.ts"
import { readEnvironment } from "./environment.ts"
import { secretOf } from "./secrets.ts"

/** Thirty days. */
const lifetimeSeconds = 60 * 60 * 24 * 30
/** From a day on it is issued anew. */
const freshSeconds = 60 * 60 * 24

let kept: string | undefined

function ownSecret(): string {
  // Where messages are kept is no matter here.
  const read = () => `guests:${secretOf(readEnvironment(process.env, { hasLog: true }))}`
  // `next dev` reads the `.env` files again when they are saved.
  if (isDevelopment()) return read()
  kept ??= read()
  return kept
}

const now = () => Math.floor(Date.now() / 1_000)

/**
 * Whom the request's cookie names, and how many seconds ago it was issued; null for nobody, for a cookie that
 * wasn't signed here, and for one that the browser should have forgotten.
 */
export function readGuest(request: Request, cookie: string): { user: User; age: number } | null {
  const start = `${cookie}=`
  const pairs = (request.headers.get("cookie") ?? "").split(";").map((pair) => pair.trim())
  const value = pairs.find((pair) => pair.startsWith(start))?.slice(start.length)
  const signed = value ? unsign(decode(value), ownSecret()) : false
  if (!signed) return null
  const content = JSON.parse(Buffer.from(signed, "base64url").toString()) as { issuedAt?: number }
  const user = parseUser(content)
  if (!user) return null
  const age = now() - (content.issuedAt ?? timeOf(user.id))
  return age < lifetimeSeconds ? { user, age } : null
}

export const isFresh = ({ age }: { age: number }): boolean => age < freshSeconds

export const newGuest = (name: string): User => ({ id: uuidv7(), name })

/** The header that sets a guest's cookie. Sent over TLS alone where the page came so. */
export function guestCookie(request: Request, cookie: string, user: User): string {
  const content = JSON.stringify({ ...user, issuedAt: now() })
  const value = sign(Buffer.from(content).toString("base64url"), ownSecret())
  const isSecure = (request.headers.get("x-forwarded-proto") ?? new URL(request.url).protocol).startsWith(
    "https",
  )
  const attributes = `Path=/; Max-Age=${lifetimeSeconds}; HttpOnly; SameSite=Lax${isSecure ? "; Secure" : ""}`
  return `${cookie}=${encodeURIComponent(value)}; ${attributes}`
}

/**
 * Cookies of before carry no date. Their guest's id was made with them, and begins with the milliseconds of
 * that moment: https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-7
 */
const timeOf = (id: string) => Number.parseInt(id.replaceAll("-", "").slice(0, 12), 16) / 1_000

/** Nobody's, where it isn't encoded as ours are. */
function decode(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    return ""
  }
}
