import type { Env } from "../env/schema.ts"

/** The session's, and those of the cookie below. */
export const cookieOptions = ({ hasSecureCookies }: Pick<Env, "hasSecureCookies">) =>
  ({ httpOnly: true, sameSite: "lax", path: "/", secure: hasSecureCookies }) as const

/**
 * Comes with every page, in the same way as the session's cookie will: a browser that doesn't bring it back would lose the session as
 * well, and whoever signs in there would be nobody again at the next click.
 */
export const keptCookie = "throughline_kept"
