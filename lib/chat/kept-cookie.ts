import type { Env } from "../env/schema.ts"

/** So long the session's cookie is good for, thirty days. */
export const sessionSeconds = 60 * 60 * 24 * 30

/** The session's, and those of the cookie below. */
export const cookieOptions = ({ hasSecureCookies }: Pick<Env, "hasSecureCookies">) =>
  ({ httpOnly: true, sameSite: "lax", path: "/", secure: hasSecureCookies }) as const

/**
 * Comes with every page, in the same way as the session's cookie will: a browser that doesn't bring it back would lose the session as
 * well, and whoever signs in there would be nobody again at the next click. Its name says how it was set, because a browser doesn't: one
 * that was set without `Secure`, as in development, tells nothing of the session's with it.
 */
export const keptCookieOf = ({ hasSecureCookies }: Pick<Env, "hasSecureCookies">) =>
  hasSecureCookies ? "__Host-throughline_kept" : "throughline_kept"
