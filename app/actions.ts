"use server"

import { revalidatePath } from "next/cache"
import { cookies } from "next/headers"
import { redirect } from "next/navigation"
import * as z from "zod/mini"
import { room } from "#lib/chat/channels.ts"
import { announce, endSessions } from "#lib/chat/consequences.ts"
import {
  getBrowserSession,
  getSession,
  keepsCookies,
  type Refusal,
  refuseAddress,
  refusePerson,
  requireOwner,
  warnOfLostCookie,
} from "#lib/chat/current.ts"
import { lobbyId } from "#lib/chat/lobby.ts"
import { maxRoomNameLength } from "#lib/chat/rooms.ts"
import { nameOfAtMost, nameSchema, newGuest } from "#lib/chat/session.ts"
import { isLocale, localeCookie } from "#lib/i18n/locales.ts"
import { getChat } from "#lib/realtime/server.ts"
import { ownPath } from "#lib/security/own-path.ts"

/** What a form shows when it was refused. */
export type FormState = { error: "badName" } | Refusal | null

/** The form stands in a page of somebody who isn't signed in any more. */
const sessionChanged: Refusal = { error: "session-changed" }

/** The browser brought no cookie back. */
const cookieLost = { error: "cookieLost" } as const
const cookieLostSchema = z.object({ error: z.literal("cookieLost") })

export async function signIn(previous: unknown, form: FormData): Promise<FormState | typeof cookieLost> {
  const name = nameSchema.safeParse(form.get("name"))
  if (!name.success) return { error: "badName" }
  if (!(await keepsCookies())) {
    // The first time the page may be older than the cookie, which comes with this answer.
    if (cookieLostSchema.safeParse(previous).success) await warnOfLostCookie()
    return cookieLost
  }
  const next = ownPath(form.get("next")) ?? `/rooms/${lobbyId}`
  const refusal = await refuseAddress("guests from an address", "guests of a day from an address")
  if (refusal) return refusal
  const user = newGuest(name.data)
  const session = await getSession()
  const { rooms } = await getChat()
  // First: who can't be let in isn't signed in either, and tries again.
  const isNew = await rooms.join(user, lobbyId)
  session.user = user
  await session.save()
  if (isNew) await announce(user, lobbyId, "member-joined")
  redirect(next)
}

/**
 * Ends this person's session, and nobody else's: their cookie is good for nothing any more, wherever else it is. This browser is signed out
 * whatever else fails; where the rest does, the person is told.
 */
export async function signOut(owner: string): Promise<void> {
  const session = await getBrowserSession()
  const { user } = session
  if (!user || user.id !== owner) redirect("/")
  session.destroy()
  redirect((await endSessions(user)) ? "/" : "/?signed-out=here")
}

/** The browser keeps what it has shown; whoever changes which rooms are theirs must see the new list everywhere. */
const forgetRoomLists = () => revalidatePath("/rooms", "layout")

const roomSchema = z.object({
  name: nameOfAtMost(maxRoomNameLength),
  isPrivate: z.boolean(),
})

export async function createRoom(_: unknown, form: FormData): Promise<FormState> {
  const user = await requireOwner(form.get("owner"), "/")
  if (!user) return sessionChanged
  const parsed = roomSchema.safeParse({ name: form.get("name"), isPrivate: form.get("isPrivate") !== null })
  if (!parsed.success) return { error: "badName" }
  const refusal = await refusePerson(user, "rooms")
  if (refusal) return refusal
  const { rooms } = await getChat()
  const created = await rooms.create(user, parsed.data)
  await announce(user, created.id, "room-created")
  forgetRoomLists()
  redirect(`/rooms/${created.id}`)
}

export async function joinRoom(_: unknown, form: FormData): Promise<Refusal | null> {
  const id = z.string().parse(form.get("room"))
  const user = await requireOwner(form.get("owner"), `/rooms/${id}`)
  if (!user) return sessionChanged
  const refusal = await refusePerson(user, "joins")
  if (refusal) return refusal
  const { rooms } = await getChat()
  if (await rooms.join(user, id)) await announce(user, id, "member-joined")
  forgetRoomLists()
  return null
}

export async function leaveRoom(owner: string, roomId: string): Promise<FormState> {
  const id = z.string().parse(roomId)
  const user = await requireOwner(owner, `/rooms/${id}`)
  if (!user) return sessionChanged
  const { rooms, realtime } = await getChat()
  if (await rooms.leave(user.id, id)) await announce(user, id, "member-left")
  // What they left open elsewhere.
  await realtime.revoke(user, room({ room: id }))
  forgetRoomLists()
  redirect(id === lobbyId ? "/" : `/rooms/${lobbyId}`)
}

/** A path that opens the room to whoever follows it; null unless the page's owner is in the room. */
export async function inviteToRoom(owner: string, id: string): Promise<{ path: string } | Refusal | null> {
  const roomId = z.string().parse(id)
  const user = await requireOwner(owner, `/rooms/${roomId}`)
  if (!user) return sessionChanged
  const refusal = await refusePerson(user, "invitations")
  if (refusal) return refusal
  const { rooms } = await getChat()
  const token = await rooms.invite(user.id, roomId)
  return token === null ? null : { path: `/invitations/${token}` }
}

/** Makes void every invitation into a room. False unless the room is the page's owner's. */
export async function withdrawInvitations(owner: string, id: string): Promise<boolean | Refusal> {
  const roomId = z.string().parse(id)
  const user = await requireOwner(owner, `/rooms/${roomId}`)
  if (!user) return sessionChanged
  const { rooms } = await getChat()
  return rooms.withdrawInvitations(user.id, roomId)
}

export async function acceptInvitation(_: unknown, form: FormData): Promise<Refusal | null> {
  const token = z.string().parse(form.get("token"))
  const user = await requireOwner(form.get("owner"), `/invitations/${token}`)
  if (!user) return sessionChanged
  const refusal =
    (await refuseAddress("invitations tried from an address")) ?? (await refusePerson(user, "joins"))
  if (refusal) return refusal
  const { rooms } = await getChat()
  const accepted = await rooms.accept(user, token)
  // Its page says why.
  if (!accepted) redirect(`/invitations/${encodeURIComponent(token)}`)
  if (accepted.isNew) await announce(user, accepted.room.id, "member-joined")
  forgetRoomLists()
  redirect(`/rooms/${accepted.room.id}`)
}

export async function setLocale(locale: string): Promise<void> {
  if (!isLocale(locale)) return
  const store = await cookies()
  store.set(localeCookie, locale, { sameSite: "lax", path: "/", maxAge: 60 * 60 * 24 * 365 })
}
