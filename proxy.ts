import { type NextRequest, NextResponse } from "next/server"
import { cookieOptions, keptCookieOf } from "#lib/chat/kept-cookie.ts"
import { loadEnv } from "#lib/env/load.ts"
import { contentSecurityPolicy } from "#lib/security/content-security-policy.ts"
import { answerToForm, type FormRefusal } from "#lib/security/refused-form.ts"

/** Gives each page a policy of its own, and the browser a cookie to bring back. Next.js puts the nonce on what it renders, as it finds it in the request's policy. */
export async function proxy(request: NextRequest): Promise<NextResponse> {
  const refusal = await refusalOf(request)
  if (refusal) {
    const { text, status, headers } = answerToForm(refusal)
    return new NextResponse(text, { status, headers })
  }
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
/** As many as React does. */
const maxArguments = 1000

/** Why a form that was sent to a page isn't taken: Next.js makes a failure of ours, or a warning, of what is none. Null for all else. */
async function refusalOf(request: NextRequest): Promise<FormRefusal | null> {
  const type = request.headers.get("content-type") ?? ""
  const isForm = type.startsWith("multipart/form-data")
  const isAction = request.headers.has("next-action")
  if (request.method !== "POST" || !(isForm || isAction)) return null
  try {
    const body = await bodyOf(request)
    if (body.byteLength > maxFormBytes) return "message-too-large"
    const sent = new Response(body, { headers: { "content-type": type } })
    const form = isForm ? await sent.formData() : null
    if (!isAction) return form && namesAction(form) ? null : "invalid-request"
    // An action's arguments, as Next.js' scripts write them.
    const given = form ? JSON.parse(String(form.get("0"))) : await sent.json()
    return areArguments(given) ? null : "invalid-request"
  } catch {
    // Neither multipart nor JSON, or parts of it aren't; or it was broken off, and nobody hears the answer.
    return "invalid-request"
  }
}

/** What React writes for text, a form and nothing, which is all that pages of this app send. Whatever else it would decode fails in its hands. */
const isKnownText = (text: string) => !text.startsWith("$") || /^\$(\$|undefined$|K[\da-f]+$)/.test(text)

/** Without recursion: how deep it goes is the sender's to choose. */
function isPlain(given: unknown): boolean {
  const left = [given]
  for (const value of left) {
    if (typeof value === "string" && !isKnownText(value)) return false
    if (typeof value === "object" && value !== null) for (const part of Object.values(value)) left.push(part)
  }
  return true
}

const areArguments = (given: unknown): boolean =>
  Array.isArray(given) && given.length <= maxArguments && isPlain(given)

/** Of a page without scripts: a form names its action; one that is called with more than the form has that beside it. Throws where that is no JSON. */
function namesAction(form: FormData): boolean {
  const actions = [...form.keys()].filter((field) => /^\$ACTION_(REF|ID)_/.test(field))
  return (
    actions.length > 0 && actions.every((field) => field.startsWith("$ACTION_ID_") || isBound(form, field))
  )
}

/** As React writes it: in part 0 the action's id and which part holds its first arguments, that part, and nothing else that it would decode. */
function isBound(form: FormData, field: string): boolean {
  const partOf = (part: string) =>
    JSON.parse(String(form.get(`$ACTION_${field.slice("$ACTION_REF_".length)}:${part}`)))
  const { id, bound, ...rest } = partOf("0")
  if (typeof id !== "string" || typeof bound !== "string") return false
  const [, part] = /^\$@([\da-f]+)$/.exec(bound) ?? []
  return (
    /^\w+$/.test(id) && Object.keys(rest).length === 0 && part !== undefined && areArguments(partOf(part))
  )
}

/** Rejects when the browser has gone: what it was sending may never end. */
async function bodyOf(request: NextRequest): Promise<ArrayBuffer> {
  const { signal } = request
  signal.throwIfAborted()
  const { promise: gone, reject } = Promise.withResolvers<never>()
  const leave = () => reject(signal.reason)
  signal.addEventListener("abort", leave)
  try {
    return await Promise.race([request.clone().arrayBuffer(), gone])
  } finally {
    signal.removeEventListener("abort", leave)
  }
}

/**
 * Pages alone: neither the API nor files. Whole names: `/socket.io-guide` would be a page, and where there is no file of Next.js' own, it
 * says so by a page. Next.js reads this without running it.
 */
export const config = {
  matcher: ["/((?!(?:api|_next/static|_realtime|socket\\.io)/|(?:_next/image|socket\\.io|icon\\.svg)$).*)"],
}
