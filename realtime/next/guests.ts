import { logError, type OnError } from "../errors.ts"
import type { User } from "../message.ts"
import { identifyBy } from "../server/session.ts"
import { createGuestLimit, type GuestLimit } from "./guest-limit.ts"

/** What `guests()` takes. */
export interface GuestOptions {
  /**
   * Who is signed in by other means, as an `identify` says it: asked first, and whom it names is no guest.
   * For an app with accounts that lets others in as well. Default: nobody is.
   */
  account?: (request: Request) => User | null | Promise<User | null>
  /** What a new guest is called. Default: `Guest` and a number. */
  name?: () => string
  /** The cookie that holds who somebody is, signed. Default `throughline_guest`. */
  cookie?: string
  /**
   * How many new guests may come from one address in a minute, at each process. Default 600, which no more
   * than stops scripts; `onError` hears, once in a minute, that some are refused. The address is the last
   * one in `X-Forwarded-For` (of IPv6 its network), which is what the nearest proxy says, or Next.js itself
   * where there is none; then it believes whoever sends that header. Behind two proxies, as a CDN before
   * nginx, that is the address of the first of them, which all its visitors share, and without the header
   * everybody is one. Who knows better gives a function: it is called before a guest is made, and rejects
   * with `rate-limited` to refuse.
   */
  limit?: number | ((request: Request) => Promise<void> | void)
}

/**
 * An `identify` that knows those whom it has let in itself. A function around it is none: it lets nobody in,
 * unless it has a `letIn` of its own.
 */
export interface Guests {
  /**
   * Whom `account` names, or the guest whom the request's cookie names; null when it names none, or isn't
   * signed by this app.
   */
  (request: Request): Promise<User | null>
  /**
   * Who asks, as they are known, or as somebody new. `cookie` is the header that
   * remembers them, where it has to be set. Rejects with `rate-limited` when too many are new, of which
   * `onError` hears; by default the console.
   */
  letIn(request: Request, onError?: OnError): Promise<{ user: User; cookie: string | null }>
}

/**
 * Server: `identify` for an app without a sign-in, or to begin with. Everybody is a guest with an id of their
 * own, kept in a signed, httpOnly cookie for thirty days from the last page that they opened: they stay who
 * they are through reloads, and can't be anybody else. `<Throughline>` asks for it when it is given no
 * `user`. Signs with `SESSION_SECRET`, or with what is kept in `DATA_DIR`; rejects with `invalid-config`
 * where neither will do.
 *
 * Hand it to `throughline` as it is: what stands before it, as accounts, is `account`'s. A function around it
 * would let nobody in.
 *
 * Tabs of a first visit take turns, so that they are one guest. Where a browser has no Web Locks, as on a
 * page over plain HTTP from another machine, two tabs that open at the same moment may be two guests: the
 * cookie that came last is the browser's, and the other tab is `failed` with `session-changed` until it is
 * reloaded.
 */
export function guests({
  account = () => null,
  name = usualName,
  cookie = "throughline_guest",
  limit = usualLimit,
}: GuestOptions = {}): Guests {
  // Loaded when somebody asks: it is Node's, and this file is evaluated wherever the app's modules are.
  const jar = () => import("./guest-cookie.ts")
  const limiting: GuestLimit = typeof limit === "function" ? limit : createGuestLimit(limit)

  const identifyAccount = (request: Request) => identifyBy(account, request)

  const identify = async (request: Request) =>
    (await identifyAccount(request)) ?? (await jar()).readGuest(request, cookie)?.user ?? null
  return Object.assign(identify, {
    async letIn(request: Request, onError = logError) {
      const signedIn = await identifyAccount(request)
      if (signedIn) return { user: signedIn, cookie: null }
      const { readGuest, isFresh, newGuest, guestCookie } = await jar()
      const known = readGuest(request, cookie)
      if (known && isFresh(known)) return { user: known.user, cookie: null }
      if (!known) await limiting(request, onError)
      const user = known?.user ?? newGuest(name())
      return { user, cookie: guestCookie(request, cookie, user) }
    },
  })
}

export const isGuests = (identify: unknown): identify is Guests =>
  typeof identify === "function" && "letIn" in identify

/** A school comes from one address, and so may everybody who comes through a proxy. */
const usualLimit = 600

const usualName = () => `Guest ${Math.floor(1_000 + Math.random() * 9_000)}`
