import { sign, unsign } from "cookie-signature"
import { v7 as uuidv7 } from "uuid"
import { parseUser, type User } from "../message.ts"
import { readEnvironment } from "./environment.ts"
import { secretOf } from "./secrets.ts"

/** Thirty days. */
const lifetimeSeconds = 60 * 60 * 24 * 30

let secret: string | undefined

function ownSecret(): string {
  secret ??= `guests:${secretOf(readEnvironment(process.env))}`
  return secret
}

/** Whom the request's cookie names; null for nobody, and for a cookie that wasn't signed here. */
export function readGuest(request: Request, cookie: string): User | null {
  const start = `${cookie}=`
  const pairs = (request.headers.get("cookie") ?? "").split(";").map((pair) => pair.trim())
  const value = pairs.find((pair) => pair.startsWith(start))?.slice(start.length)
  const signed = value ? unsign(decode(value), ownSecret()) : false
  if (!signed) return null
  return parseUser(JSON.parse(Buffer.from(signed, "base64url").toString()))
}

/** A new guest, and the header that sets their cookie. Sent over TLS alone where the page came so. */
export function makeGuest(
  request: Request,
  { cookie, name }: { cookie: string; name: string },
): { user: User; cookie: string } {
  const user = { id: uuidv7(), name }
  const value = sign(Buffer.from(JSON.stringify(user)).toString("base64url"), ownSecret())
  const isSecure = (request.headers.get("x-forwarded-proto") ?? new URL(request.url).protocol).startsWith(
    "https",
  )
  const attributes = `Path=/; Max-Age=${lifetimeSeconds}; HttpOnly; SameSite=Lax${isSecure ? "; Secure" : ""}`
  return { user, cookie: `${cookie}=${encodeURIComponent(value)}; ${attributes}` }
}

/** Nobody's, where it isn't encoded as ours are. */
function decode(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    return ""
  }
}
