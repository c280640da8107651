"use server"

import { lab } from "#lib/chat/channels.ts"
import { requireUser } from "#lib/chat/current.ts"
import { getChat } from "#lib/realtime/server.ts"

/** Ends what the visitor's connections were permitted; they have to ask again. */
export async function expirePermissions(visit: string): Promise<void> {
  const user = await requireUser("/lab")
  const { realtime } = await getChat()
  await realtime.revoke(user, lab({ owner: user.id, visit: String(visit) }))
}
