import { createHash, timingSafeEqual } from "node:crypto"

/** What whoever runs the servers asks of them: answered by Next.js, and by a gateway that stands alone. */

const answer = (status: number, body: object) =>
  Response.json(body, { status, headers: { "Cache-Control": "no-store" } })

/** Whether this process answers: when it doesn't, end it and start another. */
export const health = (): Response => answer(200, { status: "ok" })

/** Something that a process uses, and the request by which it is seen whether it answers. */
export interface Part {
  /** As in "the log". */
  name: string
  /** Whether nobody can be served without it; else people are served, in part worse. */
  isNeeded: boolean
  /** Rejects where it can't answer. */
  ask(): Promise<unknown>
}

/** So long each part may take, and the chat to start: a balancer asks again in a moment. */
const patienceMs = 2_000

/**
 * Whether this process can serve: when it can't, send people elsewhere and leave it alone. It names what doesn't answer, and nothing
 * secret. All are asked at once, each for `patienceMs` at most.
 */
export async function ready(getParts: () => Promise<readonly Part[]>): Promise<Response> {
  const unavailable = (reason: string) => answer(503, { status: "unavailable", reason })
  let parts: readonly Part[] | undefined
  try {
    parts = await inTime(getParts())
  } catch {
    // The process' own log says which variable is missing, or what the database said.
    return unavailable("the chat can't start")
  }
  if (!parts) return unavailable("the chat is still starting")
  const answers = await Promise.all(parts.map((part) => inTime(isAnswering(part)).catch(() => false)))
  const silent = parts.filter((_, index) => answers[index] !== true)
  const missing = silent.filter(({ isNeeded }) => isNeeded).map(({ name }) => name)
  if (missing.length > 0)
    return unavailable(`${missing.join(" and ")} ${missing.length > 1 ? "don't" : "doesn't"} answer`)
  const without = silent.map(({ name }) => name)
  return answer(200, { status: "ready", ...(without.length > 0 && { without }) })
}

/** What is being asked isn't asked again: of a part that says nothing, each request may hold a connection. */
const asked = new WeakMap<Part, Promise<boolean>>()

function isAnswering(part: Part): Promise<boolean> {
  const known = asked.get(part)
  if (known) return known
  const asking = part.ask().then(() => true)
  asked.set(part, asking)
  const over = () => void asked.delete(part)
  asking.then(over, over)
  return asking
}

/** Undefined where it takes too long. */
async function inTime<T>(work: Promise<T>): Promise<T | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>()
  const timer = setTimeout(resolve, patienceMs)
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

/** The metrics, for whoever knows the token; without one there is no such page. */
export async function metrics(token: string | undefined, authorization: string | null): Promise<Response> {
  if (!token) return answer(404, { error: "not-found" })
  if (!isEqual(authorization ?? "", `Bearer ${token}`)) return answer(401, { error: "unauthorized" })
  const { getMetrics } = await import("./metrics.ts")
  const { contentType, render } = getMetrics()
  return new Response(await render(), {
    headers: { "Content-Type": contentType, "Cache-Control": "no-store" },
  })
}

/**
 * Applies the retention, for a host's clock that knows the secret; without one there is no such page. Vercel's sends it as a bearer token:
 * https://vercel.com/docs/cron-jobs/manage-cron-jobs#securing-cron-jobs
 */
export async function retention(
  secret: string | undefined,
  authorization: string | null,
  apply: () => Promise<object>,
): Promise<Response> {
  if (!secret) return answer(404, { error: "not-found" })
  if (!isEqual(authorization ?? "", `Bearer ${secret}`)) return answer(401, { error: "unauthorized" })
  return answer(200, { removed: await apply() })
}

/** Compares in a time that tells nothing about where the two differ. */
function isEqual(given: string, expected: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest()
  return timingSafeEqual(digest(given), digest(expected))
}
