import "server-only"
import { parseCookie } from "cookie"
import { cookies, headers } from "next/headers"
import { redirect } from "next/navigation"
import { isRealtimeError, type User } from "throughline"
import { warnOnce } from "../operations/process-log.ts"
import { contextOf, withRequest } from "../operations/request-context.ts"
import { getChat, getEnv } from "../realtime/server.ts"
import type { Budget, Personal } from "../security/budgets.ts"
import type { Limits } from "../security/limits.ts"
import { keptCookieOf } from "./kept-cookie.ts"
import { openSession, sessionOptions } from "./session.ts"

/** The session as this browser has it, which is known without the database. It may have ended elsewhere. */
export const getBrowserSession = async () => openSession(await cookies(), sessionOptions(getEnv()))

/**
 * The session of the request under way, whose guest is called as they are now. One that has ended is nobody's, whoever brings its cookie. The
 * database is asked of somebody alone.
 */
export async function getSession() {
  const session = await getBrowserSession()
  if (!session.user) return session
  const present = await (await getChat()).guests.present(session.user)
  if (present) session.user = present
  else delete session.user
  return session
}

/** Whether this browser brings back what a page sets. */
export async function keepsCookies(): Promise<boolean> {
  // As the browser sent them: to `cookies()` Next.js adds what `proxy.ts` has set just now.
  const sent = (await headers()).get("cookie") ?? ""
  return keptCookieOf(getEnv()) in parseCookie(sent)
}

/** Says in the log what to set where browsers don't, in one line for each address that the app is opened by. */
export async function warnOfLostCookie(): Promise<void> {
  const origin = ((await headers()).get("origin") ?? "unknown").slice(0, 200)
  warnOnce(`cookies of ${origin}`, { origin }, notKept)
}

const notKept =
  "a browser that signs in didn't bring back the cookie that came with the page. Where the app is opened by http://, as in a local " +
  "network, cookies that are Secure are dropped: serve it by https://, or set APP_ORIGIN to that origin"

/** Who is looking at this page; whoever isn't signed in is asked to, and comes back. */
export async function requireUser(returnTo: string): Promise<User & { name: string }> {
  const { user } = await getSession()
  if (!user) redirect(`/?next=${encodeURIComponent(returnTo)}`)
  return { id: user.id, name: user.name ?? "" }
}

/**
 * In whose name an action is done: whoever is signed in, if they are the one whose page it came from. Null when they aren't; whoever
 * isn't signed in at all is asked to, and comes back.
 */
export async function requireOwner(owner: unknown, returnTo: string): Promise<User | null> {
  const user = await requireUser(returnTo)
  return user.id === owner ? user : null
}

/** Why an action wasn't done. */
export type Refusal =
  | RateRefusal
  /** The page belongs to somebody who isn't signed in any more. */
  | { error: "session-changed" }
  /** It was called with what no page of this app sends. */
  | { error: "invalid-request" }
  /** The room's owner keeps them out of it. */
  | { error: "channel-denied" }

/** Too much was asked for. */
interface RateRefusal {
  error: "rate-limited"
  /** When there is room again. */
  retryAfterMs: number
}

/** Null while the visitor's address may do this once more. */
export async function refuseAddress(
  ...spent: Extract<Budget, `${string} from an address`>[]
): Promise<RateRefusal | null> {
  const { address = "unknown" } = contextOf(await headers())
  return refusalOf(async ({ take }) => {
    for (const budget of spent) await take(budget, address)
  })
}

/** Null while this person, and whoever shares their address, may make one more of what stays. */
export async function refusePerson({ id }: User, made: Personal): Promise<RateRefusal | null> {
  const request = contextOf(await headers())
  return refusalOf(({ takeOf }) => withRequest(request, () => takeOf(made, id)))
}

async function refusalOf(spend: (limits: Limits) => Promise<void>): Promise<RateRefusal | null> {
  const { limits } = await getChat()
  try {
    await spend(limits)
    return null
  } catch (error) {
    if (!isRealtimeError(error) || error.code !== "rate-limited") throw error
    return { error: error.code, retryAfterMs: error.retryAfterMs ?? 0 }
  }
}
