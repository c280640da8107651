"use server"

import { revalidatePath } from "next/cache"
import { cookies } from "next/headers"
import { redirect } from "next/navigation"
import type { User } from "throughline"
import * as z from "zod/mini"
import { action, formOf, idSchema } from "#lib/chat/action.ts"
import { person, room } from "#lib/chat/channels.ts"
import { endSessions } from "#lib/chat/consequences.ts"
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
import { cookieOptions } from "#lib/chat/kept-cookie.ts"
import { lobbyId } from "#lib/chat/lobby.ts"
import { maxPersonNameLength, maxRoomNameLength, type NameFault, nameFaultOf } from "#lib/chat/names.ts"
import { newGuest } from "#lib/chat/session.ts"
import { signedOutCookie, signedOutSeconds } from "#lib/chat/signed-out-cookie.ts"
import { visibleText } from "#lib/chat/visible-text.ts"
import { localeCookie, locales } from "#lib/i18n/locales.ts"
import type { Chat } from "#lib/realtime/create.ts"
import { getChat, getEnv, report } from "#lib/realtime/server.ts"
import { ownPath } from "#lib/security/own-path.ts"

/** What a form shows when it was refused. */
export type FormState = BadName | Refusal | null

/** Nobody, or no room, may be called what was asked for. */
export interface BadName {
  error: "badName"
  reason: NameFault
}

function badName(text: string, max: number): BadName | null {
  const reason = nameFaultOf(text, max)
  return reason && { error: "badName", reason }
}

/** The form stands in a page of somebody who isn't signed in any more. */
const sessionChanged: Refusal = { error: "session-changed" }

/** The room's owner has put them out, and hasn't let them in again. */
const keptOut: Refusal = { error: "channel-denied" }

/** The browser brought no cookie back. */
const cookieLost = { error: "cookieLost" } as const
const cookieLostSchema = z.object({ error: z.literal("cookieLost") })

const signInSchema = formOf({ name: z.string(), next: z.optional(z.string()) })

export const signIn = action(signInSchema, async (previous, form): Promise<FormState | typeof cookieLost> => {
  const bad = badName(form.name, maxPersonNameLength)
  if (bad) return bad
  if (!(await keepsCookies())) {
    // The first time the page may be older than the cookie, which comes with this answer.
    if (cookieLostSchema.safeParse(previous).success) await warnOfLostCookie()
    return cookieLost
  }
  const next = ownPath(form.next) ?? `/rooms/${lobbyId}`
  const refusal = await refuseAddress("guests from an address", "guests of a day from an address")
  if (refusal) return refusal
  const user = newGuest(visibleText(form.name))
  const session = await getSession()
  const { rooms, announcements } = await getChat()
  // First: who can't be let in isn't signed in either, and tries again.
  await rooms.join(user, lobbyId)
  session.user = user
  await session.save()
  await announcements.say(lobbyId)
  redirect(next)
})

/** A path that brings the page's owner in on one more device, once. */
export const linkDevice = action(
  z.tuple([z.string()]),
  async (owner): Promise<{ path: string } | Refusal> => {
    const user = await requireOwner(owner, "/")
    if (!user) return sessionChanged
    const refusal = await refusePerson(user, "invitations")
    if (refusal) return refusal
    const { deviceLinks } = await getChat()
    return { path: `/devices/${await deviceLinks.make(user)}` }
  },
)

const enterSchema = formOf({ token: idSchema })

/** Whoever comes with a link of their own is the same person here, too. */
export const enterByLink = action(
  enterSchema,
  async (_, { token }): Promise<Refusal | typeof cookieLost | null> => {
    // It would be used up, and have brought in nobody.
    if (!(await keepsCookies())) return cookieLost
    const refusal = await refuseAddress("invitations tried from an address")
    if (refusal) return refusal
    const session = await getSession()
    const { deviceLinks } = await getChat()
    // Whoever is somebody here already stays that.
    const user = session.user ? null : await deviceLinks.take(token)
    // Its page says why.
    if (!user) redirect(`/devices/${encodeURIComponent(token)}`)
    session.user = user
    await session.save()
    redirect(`/rooms/${lobbyId}`)
  },
)

/**
 * Ends this person's session, and nobody else's: their cookie is good for nothing any more, wherever else it is. This browser is signed out
 * whatever else fails; where the rest does, the person is told.
 */
export const signOut = action(z.tuple([z.string()]), async (owner): Promise<Refusal> => {
  const session = await getBrowserSession()
  const { user } = session
  if (user?.id !== owner) return sessionChanged
  session.destroy()
  if (!(await endSessions(user))) {
    const store = await cookies()
    // The page takes it away.
    const readable = { ...cookieOptions(getEnv()), httpOnly: false }
    store.set(signedOutCookie, "here", { ...readable, maxAge: signedOutSeconds })
  }
  redirect("/")
})

/** The browser keeps what it has shown; whoever changes which rooms are theirs must see the new list everywhere. */
const forgetRoomLists = () => revalidatePath("/rooms", "layout")

/** Has all pages of a person rendered anew. One that isn't told learns of most when it next asks what is unread. */
async function tellPages({ signal }: Pick<Chat["realtime"], "signal">, user: User): Promise<void> {
  const told = signal(person({ person: user.id }), "list-changed", {}, { from: user })
  await told.catch((error: unknown) => report(error, { stage: "tell a person's pages" }))
}

const changeNameSchema = formOf({ owner: z.string(), name: z.string() })

/** From now on the page's owner is called so, on all their pages and devices; they are the same person all the same. */
export const changeName = action(
  changeNameSchema,
  async (_, form): Promise<BadName | Refusal | { name: string }> => {
    const user = await requireOwner(form.owner, "/")
    if (!user) return sessionChanged
    const bad = badName(form.name, maxPersonNameLength)
    if (bad) return bad
    const given = { name: visibleText(form.name) }
    if (given.name === user.name) return given
    const refusal = await refusePerson(user, "names")
    if (refusal) return refusal
    const { guests, realtime } = await getChat()
    await guests.rename(user.id, given.name)
    forgetRoomLists()
    await tellPages(realtime, { id: user.id, name: given.name })
    return given
  },
)

const createRoomSchema = formOf({
  ...{ owner: z.string(), name: z.string() },
  // There where it is ticked.
  isPrivate: z.optional(z.string()),
})

export const createRoom = action(createRoomSchema, async (_, form): Promise<FormState> => {
  const user = await requireOwner(form.owner, "/")
  if (!user) return sessionChanged
  const bad = badName(form.name, maxRoomNameLength)
  if (bad) return bad
  const refusal = await refusePerson(user, "rooms")
  if (refusal) return refusal
  const { rooms, announcements } = await getChat()
  const created = await rooms.create(user, {
    name: visibleText(form.name),
    isPrivate: form.isPrivate !== undefined,
  })
  await announcements.say(created.id)
  forgetRoomLists()
  redirect(`/rooms/${created.id}`)
})

const joinRoomSchema = formOf({ owner: z.string(), room: idSchema })

export const joinRoom = action(joinRoomSchema, async (_, { owner, room: id }): Promise<Refusal | null> => {
  const user = await requireOwner(owner, `/rooms/${id}`)
  if (!user) return sessionChanged
  const refusal = await refusePerson(user, "joins")
  if (refusal) return refusal
  const { rooms, announcements } = await getChat()
  await rooms.join(user, id)
  await announcements.say(id)
  forgetRoomLists()
  return (await rooms.isKeptOut(user.id, id)) ? keptOut : null
})

/** A room of which the page's owner asks something, and who that is. */
const ofRoom = z.tuple([z.string(), idSchema])

export const leaveRoom = action(ofRoom, async (owner, id): Promise<Refusal> => {
  const user = await requireOwner(owner, `/rooms/${id}`)
  if (!user) return sessionChanged
  const { rooms, realtime, announcements } = await getChat()
  const hasLeft = await rooms.leave(user.id, id)
  try {
    // What they left open elsewhere, before the room is told, which may take long. It is as often as they came in, which has a budget.
    if (hasLeft) await realtime.revoke(user, room({ room: id }))
  } finally {
    await announcements.say(id)
  }
  forgetRoomLists()
  redirect(id === lobbyId ? "/" : `/rooms/${lobbyId}`)
})

/** A path that opens the room to whoever follows it; null unless the page's owner is in the room. */
export const inviteToRoom = action(
  ofRoom,
  async (owner, roomId): Promise<{ path: string } | Refusal | null> => {
    const user = await requireOwner(owner, `/rooms/${roomId}`)
    if (!user) return sessionChanged
    const refusal = await refusePerson(user, "invitations")
    if (refusal) return refusal
    const { rooms } = await getChat()
    const token = await rooms.invite(user.id, roomId)
    return token === null ? null : { path: `/invitations/${token}` }
  },
)

/** Makes void every invitation into a room. False unless the room is the page's owner's. */
export const withdrawInvitations = action(ofRoom, async (owner, roomId): Promise<boolean | Refusal> => {
  const user = await requireOwner(owner, `/rooms/${roomId}`)
  if (!user) return sessionChanged
  const { rooms } = await getChat()
  return rooms.withdrawInvitations(user.id, roomId)
})

const renameSchema = formOf({ owner: z.string(), room: idSchema, name: z.string() })

/** Whoever isn't the room's owner changes nothing. */
export const renameRoom = action(
  renameSchema,
  async (_, { owner, room: id, name }): Promise<FormState | { isDone: boolean }> => {
    const user = await requireOwner(owner, `/rooms/${id}`)
    if (!user) return sessionChanged
    const bad = badName(name, maxRoomNameLength)
    if (bad) return bad
    const refusal = await refusePerson(user, "room changes")
    if (refusal) return refusal
    const { rooms, announcements } = await getChat()
    const isDone = await rooms.rename(user.id, id, visibleText(name))
    await announcements.say(id)
    forgetRoomLists()
    return { isDone }
  },
)

/**
 * Puts somebody out of a room. False unless the room is the page's owner's, and the other in it. What they have open is ended, and
 * the room told, also where they aren't in it any more: neither the provider nor the log may have been reached the first time.
 */
export const removeMember = action(
  z.tuple([z.string(), idSchema, idSchema]),
  async (owner, roomId, memberId): Promise<boolean | Refusal> => {
    const user = await requireOwner(owner, `/rooms/${roomId}`)
    if (!user) return sessionChanged
    const refusal = await refusePerson(user, "joins")
    if (refusal) return refusal
    const { rooms, realtime, announcements } = await getChat()
    const removed = await rooms.remove(user.id, roomId, memberId)
    const found = removed ? null : await rooms.find(user.id, roomId)
    const isOut = found?.ownerId === user.id && !(await rooms.isMember(memberId, roomId))
    if (!removed && !isOut) return false
    // First: what is said in the room from here on isn't theirs to read.
    await realtime.revoke({ id: memberId }, room({ room: roomId }))
    await announcements.say(roomId)
    return removed !== null
  },
)

/** Lets somebody join a public room again who was put out of it. False unless it is the page's owner's, and the other kept out. */
export const letMemberIn = action(
  z.tuple([z.string(), idSchema, idSchema]),
  async (owner, roomId, memberId): Promise<boolean | Refusal> => {
    const user = await requireOwner(owner, `/rooms/${roomId}`)
    if (!user) return sessionChanged
    const refusal = await refusePerson(user, "room changes")
    if (refusal) return refusal
    const { rooms, realtime } = await getChat()
    const isDone = await rooms.letIn(user.id, roomId, memberId)
    // The page that says that they are kept out.
    if (isDone) await tellPages(realtime, { id: memberId })
    return isDone
  },
)

/** More pages than that learn of it when they are loaded. */
const maxTold = 100

/** The same for all whom a public room keeps out. False unless it is the page's owner's, and keeps anybody out. */
export const letEverybodyIn = action(ofRoom, async (owner, roomId): Promise<boolean | Refusal> => {
  const user = await requireOwner(owner, `/rooms/${roomId}`)
  if (!user) return sessionChanged
  const refusal = await refusePerson(user, "room changes")
  if (refusal) return refusal
  const { rooms, realtime } = await getChat()
  const people = await rooms.letEverybodyIn(user.id, roomId)
  await Promise.all(people.slice(0, maxTold).map((id) => tellPages(realtime, { id })))
  return people.length > 0
})

/**
 * Ends a room for everybody. Null unless it is the page's owner's, as also where it is gone already. Whoever has it open is told; what was
 * said in it is taken out of the log meanwhile.
 */
export const deleteRoom = action(ofRoom, async (owner, id): Promise<Refusal | null> => {
  const user = await requireOwner(owner, `/rooms/${id}`)
  if (!user) return sessionChanged
  const refusal = await refusePerson(user, "room changes")
  if (refusal) return refusal
  const { rooms, announcements, clearRooms } = await getChat()
  const isDone = await rooms.delete(user.id, id)
  await announcements.say(id)
  if (!isDone) return null
  clearRooms()
  forgetRoomLists()
  redirect(`/rooms/${lobbyId}`)
})

const acceptSchema = formOf({ owner: z.string(), token: idSchema })

export const acceptInvitation = action(acceptSchema, async (_, { owner, token }): Promise<Refusal | null> => {
  const user = await requireOwner(owner, `/invitations/${token}`)
  if (!user) return sessionChanged
  const refusal =
    (await refuseAddress("invitations tried from an address")) ?? (await refusePerson(user, "joins"))
  if (refusal) return refusal
  const { rooms, announcements } = await getChat()
  const accepted = await rooms.accept(user, token)
  // Its page says why.
  if (!accepted) redirect(`/invitations/${encodeURIComponent(token)}`)
  await announcements.say(accepted.room.id)
  forgetRoomLists()
  redirect(`/rooms/${accepted.room.id}`)
})

export const setLocale = action(z.tuple([z.enum(locales)]), async (locale): Promise<Refusal | null> => {
  const store = await cookies()
  store.set(localeCookie, locale, { sameSite: "lax", path: "/", maxAge: 60 * 60 * 24 * 365 })
  return null
})
