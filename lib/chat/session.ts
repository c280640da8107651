import { parseCookie } from "cookie"
import { type CookieStore, getIronSession, type SessionOptions, unsealData } from "iron-session"
import { parseUser, type User } from "throughline"
import { v7 as uuidv7 } from "uuid"
import type { Env } from "../env/schema.ts"
import type { Guests } from "./guests.ts"
import { cookieOptions, sessionSeconds } from "./kept-cookie.ts"

/** The session's cookie where browsers get it without TLS, too; and everywhere before there was the name below. */
export const sessionCookie = "throughline_session"
/** Browsers take a cookie of this kind of name from its own host alone, by TLS: no other host of the domain can put one there. */
export const hostSessionCookie = `__Host-${sessionCookie}`

interface SessionData {
  user?: User
  /** It was given under that name, and is nobody's under the other: there somebody else may have put it. */
  isHostOnly?: boolean
}

/** What of the environment a session needs. */
type SessionEnvironment = Pick<Env, "SESSION_SECRET" | "hasSecureCookies">

export function sessionOptions(env: SessionEnvironment): SessionOptions {
  return {
    cookieName: env.hasSecureCookies ? hostSessionCookie : sessionCookie,
    password: env.SESSION_SECRET,
    ttl: sessionSeconds,
    cookieOptions: cookieOptions(env),
  }
}

/** A guest is whoever they say they are, with an id of their own. */
export const newGuest = (name: string): User => ({ id: uuidv7(), name })

/** Of a server action or component: the session that the request came with, which can be saved and ended. */
export async function openSession(store: CookieStore, options: SessionOptions) {
  const session = await getIronSession<SessionData>(endingFormer(store, options), options)
  if (options.cookieName !== hostSessionCookie) return session
  const former = session.user ? undefined : await formerUserOf((name) => store.get(name)?.value, options)
  return Object.assign(session, { isHostOnly: true, ...(former && { user: former }) })
}

/**
 * Whoever signed in before the cookie had its present name: guests can't sign in again as whom they were. All of them are over
 * `sessionSeconds` after the first start with this code, since no seal lasts longer; then this can go, and what calls it.
 */
async function formerUserOf(
  read: (name: string) => string | undefined,
  options: SessionOptions,
): Promise<User | undefined> {
  const sealed = read(sessionCookie)
  const { user, isHostOnly } = sealed ? await unseal(sealed, options) : {}
  return isHostOnly ? undefined : user
}

/** A store in which the present cookie takes the former one's place: a session that ends leaves none behind it. */
function endingFormer(store: CookieStore, options: SessionOptions): CookieStore {
  if (options.cookieName !== hostSessionCookie) return store
  return {
    get: (name) => store.get(name),
    set(name, value, attributes) {
      store.set(name, value, attributes)
      if (store.get(sessionCookie)?.value) store.set(sessionCookie, "", { ...attributes, maxAge: 0 })
    },
  }
}

const unseal = (sealed: string, { password, ttl }: SessionOptions) =>
  unsealData<SessionData>(sealed, { password, ...(ttl !== undefined && { ttl }) })

/**
 * Who sent a request: the one place to change for an identity provider (`docs/guides/identity.md`). Runs in plain Node
 * too, so of Next.js it needs nothing: it reads the request, and asks the database whether they have left, or have another name by now.
 */
export async function identifyRequest(
  request: Request,
  options: SessionOptions,
  guests: Pick<Guests, "present">,
): Promise<User | null> {
  const jar = parseCookie(request.headers.get("cookie") ?? "")
  const sealed = jar[options.cookieName]
  const { user: given } = sealed ? await unseal(sealed, options) : {}
  const isFormer = !given && options.cookieName === hostSessionCookie
  const user = parseUser(isFormer ? await formerUserOf((name) => jar[name], options) : given)
  return user && guests.present(user)
}
