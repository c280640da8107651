import { type NextRequest, NextResponse } from "next/server"
import { cookieOptions, keptCookieOf } from "#lib/chat/kept-cookie.ts"
import { loadEnv } from "#lib/env/load.ts"
import { contentSecurityPolicy } from "#lib/security/content-security-policy.ts"

/** Gives each page a policy of its own, and the browser a cookie to bring back. Next.js puts the nonce on what it renders, as it finds it in the request's policy. */
export async function proxy(request: NextRequest): Promise<NextResponse> {
  if (!(await isReadable(request))) return new NextResponse("This form can't be read.", { status: 400 })
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

/** More than Next.js lets an action take, so that it is the one to say that it is too much. */
const tooMuch = 1024 * 1024

/** Whether a form that was sent to a page is one. Of one that isn't, Next.js makes a failure of ours. */
async function isReadable(request: NextRequest): Promise<boolean> {
  const type = request.headers.get("content-type") ?? ""
  if (request.method !== "POST") return true
  const isForm = type.startsWith("multipart/form-data")
  if (!isForm && !request.headers.has("next-action")) return true
  const body = await request.clone().arrayBuffer()
  if (body.byteLength > tooMuch) return true
  const sent = new Response(body, { headers: { "content-type": type } })
  return (isForm ? sent.formData() : sent.json()).then(
    () => true,
    () => false,
  )
}

/**
 * Pages alone: neither the API nor files. Whole names: `/socket.io-guide` would be a page, and where there is no file of Next.js' own, it
 * says so by a page. Next.js reads this without running it.
 */
export const config = {
  matcher: ["/((?!(?:api|_next/static|_realtime|socket\\.io)/|(?:_next/image|socket\\.io|icon\\.svg)$).*)"],
}
