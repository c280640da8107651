"use server"

import * as z from "zod/mini"
import { action } from "#lib/chat/action.ts"
import { lab, visitSchema } from "#lib/chat/channels.ts"
import { type Refusal, refusePerson, requireUser } from "#lib/chat/current.ts"
import { getChat } from "#lib/realtime/server.ts"

/** Ends what the visitor's connections were permitted; they have to ask again. */
export const expirePermissions = action(z.tuple([visitSchema]), async (visit): Promise<Refusal | null> => {
  const user = await requireUser("/lab")
  const refusal = await refusePerson(user, "revocations")
  if (refusal) return refusal
  const { realtime } = await getChat()
  await realtime.revoke(user, lab({ owner: user.id, visit }))
  return null
})
