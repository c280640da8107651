import { type NextRequest, NextResponse } from "next/server"
import { cookieOptions, keptCookieOf } from "#lib/chat/kept-cookie.ts"
import { loadEnv } from "#lib/env/load.ts"
import { contentSecurityPolicy } from "#lib/security/content-security-policy.ts"

/** Gives each page a policy of its own, and the browser a cookie to bring back. Next.js puts the nonce on what it renders, as it finds it in the request's policy. */
export function proxy(request: NextRequest): NextResponse {
  const nonce = Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString("base64")
  const env = loadEnv()
  const policy = contentSecurityPolicy(env, nonce)
  const headers = new Headers(request.headers)
  headers.set("x-nonce", nonce)
  headers.set("content-security-policy", policy)
  const response = NextResponse.next({ request: { headers } })
  response.headers.set("Content-Security-Policy", policy)
  const kept = keptCookieOf(env)
  if (!request.cookies.has(kept)) response.cookies.set(kept, "1", cookieOptions(env))
  return response
}

/**
 * Pages alone: neither the API nor files. Whole names: `/socket.io-guide` would be a page, and where there is no file of Next.js' own, it
 * says so by a page. Next.js reads this without running it.
 */
export const config = {
  matcher: ["/((?!(?:api|_next/static|_realtime|socket\\.io)/|(?:_next/image|socket\\.io|icon\\.svg)$).*)"],
}
