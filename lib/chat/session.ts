import { parseCookie } from "cookie"
import { getIronSession, type SessionOptions, unsealData } from "iron-session"
import type { cookies } from "next/headers"
import { parseUser, type User } from "throughline"
import { v7 as uuidv7 } from "uuid"
import * as z from "zod/mini"
import type { Env } from "../env/schema.ts"
import type { Guests } from "./guests.ts"
import { cookieOptions } from "./kept-cookie.ts"
import { isLineOfText, visibleText } from "./visible-text.ts"

export const sessionCookie = "throughline_session"

interface SessionData {
  user?: User
}

/** What people and rooms may be called: something that can be seen, and nothing that disturbs what stands beside it. */
export const nameOfAtMost = (length: number) =>
  z.string().check(z.overwrite(visibleText), z.minLength(1), z.maxLength(length), z.refine(isLineOfText))

/** What a guest may be called. */
export const nameSchema = nameOfAtMost(40)

/** So long a cookie is good for, thirty days. */
export const sessionSeconds = 60 * 60 * 24 * 30

/** What of the environment a session needs. */
type SessionEnvironment = Pick<Env, "SESSION_SECRET" | "hasSecureCookies">

export function sessionOptions(env: SessionEnvironment): SessionOptions {
  return {
    cookieName: sessionCookie,
    password: env.SESSION_SECRET,
    ttl: sessionSeconds,
    cookieOptions: cookieOptions(env),
  }
}

/** A guest is whoever they say they are, with an id of their own. */
export const newGuest = (name: string): User => ({ id: uuidv7(), name })

/** The cookie jar of a server action or component. */
type CookieStore = Awaited<ReturnType<typeof cookies>>

export function openSession(store: CookieStore, options: SessionOptions) {
  return getIronSession<SessionData>(store, options)
}

/**
 * Who sent a request: the one place to change for an identity provider (`docs/guides/identity.md`). Runs in plain Node
 * too, so of Next.js it needs nothing: it reads the request, and asks the database whether they have left.
 */
export async function identifyRequest(
  request: Request,
  options: SessionOptions,
  guests: Pick<Guests, "hasLeft">,
): Promise<User | null> {
  const sealed = parseCookie(request.headers.get("cookie") ?? "")[sessionCookie]
  if (!sealed) return null
  const { user: sealedUser } = await unsealData<SessionData>(sealed, {
    password: options.password,
    ...(options.ttl !== undefined && { ttl: options.ttl }),
  })
  const user = parseUser(sealedUser)
  return user && (await guests.hasLeft(user.id)) ? null : user
}
