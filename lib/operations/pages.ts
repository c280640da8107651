import { createHash, timingSafeEqual } from "node:crypto"
import type { Realtime } from "throughline/server"

/** What whoever runs the servers asks of them: answered by Next.js, and by a gateway that stands alone. */

const answer = (status: number, body: object) =>
  Response.json(body, { status, headers: { "Cache-Control": "no-store" } })

/** Whether this process answers: when it doesn't, end it and start another. */
export const health = (): Response => answer(200, { status: "ok" })

/** Whether it can serve: when it can't, send people elsewhere and leave it alone. It says why, and nothing secret. */
export async function ready(getRealtime: () => Promise<Pick<Realtime, "core">>): Promise<Response> {
  let core: Realtime["core"]
  try {
    core = (await getRealtime()).core
  } catch {
    // The process' own log says which variable is missing, or what the database said.
    return answer(503, { status: "unavailable", reason: "the chat can't start" })
  }
  try {
    await core.heads([])
  } catch {
    return answer(503, { status: "unavailable", reason: "the log doesn't answer" })
  }
  return answer(200, { status: "ready" })
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
