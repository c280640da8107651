import type { User } from "../message.ts"

/** What `guests()` takes. */
export interface GuestOptions {
  /** What a new guest is called. Default: `Guest` and a number. */
  name?: () => string
  /** The cookie that holds who somebody is, signed. Default `throughline_guest`. */
  cookie?: string
}

/** An `identify` that knows those whom it has let in itself. */
export interface Guests {
  (request: Request): Promise<User | null>
  /** Makes somebody of whoever asks for the first time, and says which cookie remembers them. */
  letIn(request: Request): Promise<{ user: User; cookie: string }>
}

/**
 * Server: `identify` for an app without a sign-in, or to begin with. Everybody is a guest with an id of their
 * own, kept in a signed, httpOnly cookie for thirty days: they stay who they are through reloads, and can't
 * be anybody else. `<Throughline>` asks for it when it is given no `user`. Signs with `SESSION_SECRET`, or
 * with what is kept in `DATA_DIR`; rejects with `invalid-config` where neither will do.
 */
export function guests({ name = usualName, cookie = "throughline_guest" }: GuestOptions = {}): Guests {
  // Loaded when somebody asks: it is Node's, and this file is evaluated wherever the app's modules are.
  const jar = () => import("./guest-cookie.ts")
  const identify = async (request: Request) => (await jar()).readGuest(request, cookie)
  return Object.assign(identify, {
    letIn: async (request: Request) => (await jar()).makeGuest(request, { cookie, name: name() }),
  })
}

export const isGuests = (identify: unknown): identify is Guests =>
  typeof identify === "function" && "letIn" in identify

const usualName = () => `Guest ${Math.floor(1_000 + Math.random() * 9_000)}`
