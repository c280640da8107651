import "server-only"
import { cookies } from "next/headers"
import { redirect } from "next/navigation"
import type { User } from "#realtime"
import { getChat } from "../realtime/server.ts"
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
