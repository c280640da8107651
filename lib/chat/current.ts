import "server-only"
import { cookies, headers } from "next/headers"
import { redirect } from "next/navigation"
import { isRealtimeError, type User } from "#realtime"
import { getChat } from "../realtime/server.ts"
import type { Budget } from "../security/limits.ts"
import { openSession, sessionOptions } from "./session.ts"

/** The session of the request under way. */
export async function getSession() {
  const { env } = await getChat()
  return openSession(
    await cookies(),
    sessionOptions({ secret: env.SESSION_SECRET, isProduction: env.isProduction }),
  )
}

/** Who is looking at this page; whoever isn't signed in is asked to, and comes back. */
export async function requireUser(returnTo: string): Promise<User & { name: string }> {
  const { user } = await getSession()
  if (!user) redirect(`/?next=${encodeURIComponent(returnTo)}`)
  return { id: user.id, name: user.name ?? "" }
}

/** Whether the visitor's address may do this once more. In front of us, `server/client-address.ts` or the platform wrote it. */
export async function isWithin(budget: Budget): Promise<boolean> {
  const address = (await headers()).get("x-forwarded-for")?.split(",")[0]?.trim() ?? "unknown"
  const { limits } = await getChat()
  try {
    await limits.take(budget, address)
    return true
  } catch (error) {
    if (isRealtimeError(error)) return false
    throw error
  }
}
