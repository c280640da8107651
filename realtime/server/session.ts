import { RealtimeError } from "../errors.ts"
import { parseUser, type User } from "../message.ts"
import { isPageOf } from "../owner.ts"

/**
 * Server: a user as everybody in a channel may see them, of what may be a whole row of the app's database.
 * Throws `invalid-config` where the id is no text, or empty: readers would drop what they can't read.
 */
export function shownUser(given: User, source: string): User {
  const user = parseUser(given)
  if (user) return user
  const message = `unable to tell who is meant; ${source} is a user whose \`id\` is no text, or empty`
  throw new RealtimeError("invalid-config", { message })
}

/** Server: whom the app's `identify` says. Rejects with `invalid-config` where that has no id. */
export async function identifyBy(
  identify: (request: Request) => User | null | Promise<User | null>,
  request: Request,
): Promise<User | null> {
  const found = await identify(request)
  return found && shownUser(found, "what `identify` or `account` returned")
}

/**
 * Server: whoever a request's session belongs to. Rejects with `session-changed` when the page that sent it
 * is of another person, who was signed in when it was loaded: what they wrote must not go out under this
 * one's name. Rejects with `unauthorized` when nobody is signed in and the page doesn't say whose it is.
 */
export async function requireSession(
  request: Request,
  identify: (request: Request) => User | null | Promise<User | null>,
): Promise<User> {
  const user = await identify(request)
  if (!isPageOf(user, request)) {
    throw new RealtimeError("session-changed", {
      message: "unable to answer; the page belongs to somebody who isn't signed in here any more",
    })
  }
  if (user) return user
  throw new RealtimeError("unauthorized", { message: "unable to answer; nobody is signed in" })
}
