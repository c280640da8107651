import { type NextRequest, NextResponse } from "next/server"
import { cookieOptions, keptCookieOf } from "#lib/chat/kept-cookie.ts"
import { loadEnv } from "#lib/env/load.ts"
import { contentSecurityPolicy } from "#lib/security/content-security-policy.ts"

/** Gives each page a policy of its own, and the browser a cookie to bring back. Next.js puts the nonce on what it renders, as it finds it in the request's policy. */
export async function proxy(request: NextRequest): Promise<NextResponse> {
  const refusal = await refusalOf(request)
  if (refusal) return refusal
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

/** As much as Next.js lets an action take. */
const maxFormBytes = 1024 * 1024

/** How a form that was sent to a page is answered where it is none, or too long: Next.js makes a failure of ours of either. Null for all else. */
async function refusalOf(request: NextRequest): Promise<NextResponse | null> {
  const type = request.headers.get("content-type") ?? ""
  const isForm = type.startsWith("multipart/form-data")
  const isAction = request.headers.has("next-action")
  if (request.method !== "POST" || !(isForm || isAction)) return null
  const body = await request.clone().arrayBuffer()
  if (body.byteLength > maxFormBytes) return new NextResponse("This form is too long.", { status: 413 })
  const sent = new Response(body, { headers: { "content-type": type } })
  try {
    const form = isForm ? await sent.formData() : null
    // An action's arguments, as Next.js' scripts write them.
    if (!isAction || Array.isArray(form ? JSON.parse(String(form.get("0"))) : await sent.json())) return null
  } catch {
    // Neither multipart nor JSON.
  }
  return new NextResponse("This form can't be read.", { status: 400 })
}

/**
 * Pages alone: neither the API nor files. Whole names: `/socket.io-guide` would be a page, and where there is no file of Next.js' own, it
 * says so by a page. Next.js reads this without running it.
 */
export const config = {
  matcher: ["/((?!(?:api|_next/static|_realtime|socket\\.io)/|(?:_next/image|socket\\.io|icon\\.svg)$).*)"],
}
