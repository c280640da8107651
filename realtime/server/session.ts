import { RealtimeError } from "../errors.ts"
import { parseUser, type User } from "../message.ts"
import { isPageOf } from "../owner.ts"

/**
 * Server: whom the app's `identify` says, without whatever else its row of a database holds: a user is shown
 * to everybody in a channel. Rejects with `invalid-config` where `identify` returns somebody without an id.
 */
export async function identifyBy(
  identify: (request: Request) => User | null | Promise<User | null>,
  request: Request,
): Promise<User | null> {
  const found = await identify(request)
  const user = parseUser(found)
  if (found && !user) {
    const message = "unable to tell who is asking; `identify` returned a user whose `id` is no text, or empty"
    throw new RealtimeError("invalid-config", { message })
  }
  return user
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
