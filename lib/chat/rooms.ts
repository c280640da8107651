import { createHash, randomBytes } from "node:crypto"
import { type Kysely, sql, type Transaction } from "kysely"
import type { LogHead, User } from "throughline"
import type { MessageLog } from "throughline/server"
import { v7 as uuidv7 } from "uuid"
import { doomFilesOf } from "../files/register.ts"
import { forgetAnnouncements, noteAnnouncement } from "./announcements.ts"
import { room as roomChannel } from "./channels.ts"
import type { Database, Tables } from "./database.ts"
import { departure } from "./guests.ts"
import { invitationDays } from "./invitation.ts"
import { lobbyId } from "./lobby.ts"
import { forgetMessages, forgetRoomMessages, holdRoomMessages } from "./message-index.ts"

export interface Room {
  id: string
  name: string
  isPrivate: boolean
  ownerId: string | null
}

/** A room as somebody's list shows it. */
export type ListedRoom = Room & { isMember: boolean }

export interface Invitation {
  room: Room
  /** Who made it; null when they aren't in the room any more. */
  invitedBy: string | null
}

/** Rooms, and who is in them. Every request is made in a user's name: a private room shows itself to members only. */
export interface Rooms {
  /** A new room with its first member. */
  create(user: User, room: { name: string; isPrivate: boolean }): Promise<Room>
  /** The room, if this user may know of it. */
  find(userId: string, roomId: string): Promise<Room | null>
  /**
   * The rooms that the user is in, then public ones, each the most recently active first. Of very many the newest 500 and 200: whoever
   * makes rooms by the thousand pushes the others' quiet ones out of sight, and nobody's own. It isn't a permission: whoever has signed out
   * has the rooms that they had.
   */
  list(userId: string): Promise<ListedRoom[]>
  /** False for whoever has signed out, too: a connection of theirs may be open still, or opened with a ticket of theirs. */
  isMember(userId: string, roomId: string): Promise<boolean>
  /** Joins a public room. False where there is nothing new, as already in or no such room, and for whoever is kept out of it. */
  join(user: User, roomId: string): Promise<boolean>
  leave(userId: string, roomId: string): Promise<boolean>
  members(roomId: string): Promise<User[]>
  /** False unless the room is the user's, who is in it, and is called otherwise. */
  rename(userId: string, roomId: string, name: string): Promise<boolean>
  /**
   * Puts somebody out of a room. Of a private one it makes void every invitation, so that they can't come back by one; out of a public one
   * they are kept until they are let in. Null unless the room is the user's, and both are in it.
   */
  remove(userId: string, roomId: string, memberId: string): Promise<User | null>
  /** Whether this person has been put out of a public room, and isn't let in. */
  isKeptOut(userId: string, roomId: string): Promise<boolean>
  /** Who is kept out of a public room, the newest first; of very many 500. Null unless it is the user's, who is in it. */
  keptOut(userId: string, roomId: string): Promise<User[] | null>
  /** From now on somebody may join a public room again. False unless it is the user's, who is in it, and the other is kept out. */
  letIn(userId: string, roomId: string, memberId: string): Promise<boolean>
  /** The same for all whom the room keeps out; resolves with who that was. Nobody unless it is the user's, who is in it. */
  letEverybodyIn(userId: string, roomId: string): Promise<string[]>
  /**
   * Ends a room for everybody: its members, invitations and read positions go, nothing of it is found any more, its files are nobody's.
   * False unless the room is the user's, who is in it. What was said in it is taken out of the log by `clear`.
   */
  delete(userId: string, roomId: string): Promise<boolean>
  /** Takes rooms that were deleted out of the log; resolves with how many messages. What fails is tried again the next time. */
  clear(log: Pick<MessageLog, "trim">): Promise<number>
  /**
   * Takes a person out of every table: their memberships, what they own, the invitations that they gave out, what is found of
   * them, what no room was told of them yet. First they have to be erased from the log (`eraseMessages`), from which the index is made.
   */
  forget(userId: string): Promise<void>
  /** A token that lets whoever has it join, in a link, for `invitationDays`. Null unless the user is a member. */
  invite(userId: string, roomId: string): Promise<string | null>
  /** Makes void every invitation into a room, whoever gave it out. False unless the room is the user's, who is in it. */
  withdrawInvitations(userId: string, roomId: string): Promise<boolean>
  /**
   * What an invitation opens, for whoever has its token to see before they join; null when it opens nothing. One that has expired is
   * known as such for a month.
   */
  invitation(token: string): Promise<Invitation | "expired" | null>
  /** The room of an invitation, joined; null when the token opens none, or none any more, and for whoever is kept out of it. */
  accept(user: User, token: string): Promise<{ room: Room; isNew: boolean } | null>
}

const dayMs = 24 * 60 * 60 * 1000
const invitationMs = invitationDays * dayMs
/** Whoever follows an old link is told that it is old, for so long after it has expired. */
const rememberedMs = 30 * dayMs

/** Whatever was let in just before a room was deleted has arrived by then. */
const lateMs = 10 * 60 * 1000

const maxOwnRooms = 500
const maxOtherRooms = 200

/** The rooms that a person is in, the most recently active first; of very many, those. */
export const ownRooms = (database: Database, userId: string) =>
  database
    .selectFrom("members")
    .innerJoin("rooms", "rooms.id", "members.room_id")
    .where("members.user_id", "=", userId)
    .orderBy("rooms.active_at", "desc")
    .orderBy("rooms.id", "desc")
    .limit(maxOwnRooms)

const hashOf = (token: string) => createHash("sha256").update(token).digest("base64url")

/**
 * The same for two lists that show the same rooms under the same names to somebody of the same name, which stands below them. The order
 * doesn't count: it changes with every message. Nor do rooms of which there are more than are listed: which of them are listed changes with
 * every message, too.
 */
export function listVersion(rooms: readonly ListedRoom[], { name = "" }: Pick<User, "name">): string {
  const own = rooms.filter(({ isMember }) => isMember)
  const others = rooms.filter(({ isMember }) => !isMember)
  const shown = [own.length < maxOwnRooms ? own : [], others.length < maxOtherRooms ? others : []]
  const lines = shown.flat().map(({ id, name, isPrivate, isMember }) => [id, name, isPrivate, isMember])
  return hashOf(JSON.stringify([name, ...lines.map((line) => JSON.stringify(line)).sort()]))
}

/** With a log whoever comes in has read what was said before; without one they have once they first ask what is unread. */
export function createRooms(
  database: Database,
  now: () => number = Date.now,
  log?: Pick<MessageLog, "heads">,
): Rooms {
  const columns = ["rooms.id", "rooms.name", "rooms.is_private", "rooms.owner_id"] as const
  type Row = { id: string; name: string; is_private: number; owner_id: string | null }
  const toRoom = ({ id, name, is_private, owner_id }: Row): Room => ({
    id,
    name,
    isPrivate: is_private === 1,
    ownerId: owner_id,
  })

  /** Asked for before a transaction, which holds a connection: the log may need one of the same pool. */
  async function headOf(roomId: string): Promise<LogHead | undefined> {
    const [head] = (await log?.heads([roomChannel({ room: roomId }).name])) ?? []
    return head
  }

  async function addMember(
    transaction: Transaction<Tables>,
    user: User,
    roomId: string,
    head: LogHead | undefined,
  ): Promise<boolean> {
    const added = await transaction
      .insertInto("members")
      .values({ room_id: roomId, user_id: user.id, user_name: user.name ?? "", joined_at: now() })
      .onConflict((conflict) => conflict.columns(["room_id", "user_id"]).doNothing())
      .executeTakeFirst()
    const isNew = Number(added.numInsertedOrUpdatedRows ?? 0) > 0
    if (isNew && head) {
      await transaction
        .insertInto("read_positions")
        .values({ user_id: user.id, room_id: roomId, seq: head.seq })
        .onConflict((conflict) => conflict.columns(["user_id", "room_id"]).doUpdateSet({ seq: head.seq }))
        .execute()
    }
    return isNew
  }

  async function enter(user: User, { id: roomId, ownerId }: Room): Promise<boolean> {
    const head = await headOf(roomId)
    return database.transaction().execute(async (transaction) => {
      // It may be gone meanwhile; the lobby, into which many come at once, never is, for it is nobody's.
      if (ownerId !== null) {
        if (!(await holdRoom(transaction, roomId))) return false
        // Whoever is put out meanwhile was before.
        if (await isKeptOut(user.id, roomId, transaction)) return false
      }
      const isNew = await addMember(transaction, user, roomId, head)
      if (isNew)
        await noteAnnouncement(transaction, { roomId, by: user, event: "member-joined", payload: {} })
      return isNew
    })
  }

  async function memberOf(
    userId: string,
    roomId: string,
    from: Kysely<Tables> = database,
  ): Promise<User | null> {
    const row = await from
      .selectFrom("members")
      .select(["user_id", "user_name"])
      .where("room_id", "=", roomId)
      .where("user_id", "=", userId)
      .where(({ not, exists }) => not(exists(departure(from, userId))))
      .executeTakeFirst()
    return row ? { id: row.user_id, name: row.user_name } : null
  }

  const isMember = async (userId: string, roomId: string) => (await memberOf(userId, roomId)) !== null

  /** Of a room that is somebody's: where nobody is left who could let them in, nobody is kept out. */
  const keptOutOf = (roomId: string, from: Kysely<Tables> = database) =>
    from
      .selectFrom("kept_out")
      .innerJoin("rooms", "rooms.id", "kept_out.room_id")
      .where("kept_out.room_id", "=", roomId)
      .where("rooms.owner_id", "is not", null)

  async function isKeptOut(userId: string, roomId: string, from?: Kysely<Tables>): Promise<boolean> {
    const row = keptOutOf(roomId, from).select("kept_out.user_id").where("kept_out.user_id", "=", userId)
    return (await row.executeTakeFirst()) !== undefined
  }

  /**
   * Of those who let people into a room and put them out, or end it, one at a time: a row that is written to, although nothing changes, is
   * locked. The message index comes before it, then invitations, then members, for everybody, or one could wait for another who waits for
   * them. False where there is no such room any more.
   */
  async function holdRoom(transaction: Transaction<Tables>, roomId: string): Promise<boolean> {
    const { numUpdatedRows } = await transaction
      .updateTable("rooms")
      .set(({ ref }) => ({ id: ref("id") }))
      .where("id", "=", roomId)
      .executeTakeFirst()
    return numUpdatedRows > 0n
  }

  async function find(userId: string, roomId: string): Promise<Room | null> {
    const row = await database.selectFrom("rooms").select(columns).where("id", "=", roomId).executeTakeFirst()
    if (!row) return null
    return row.is_private === 0 || (await isMember(userId, roomId)) ? toRoom(row) : null
  }

  /** Whoever has left a room rules it no more, until they are in it again. */
  async function ownRoom(
    userId: string,
    roomId: string,
    from: Kysely<Tables> = database,
  ): Promise<{ isPrivate: boolean; owner: User } | null> {
    const owned = from.selectFrom("rooms").select("is_private").where("id", "=", roomId)
    const room = await owned.where("owner_id", "=", userId).executeTakeFirst()
    const owner = room ? await memberOf(userId, roomId, from) : null
    return room && owner ? { isPrivate: room.is_private === 1, owner } : null
  }

  /** All that these tables hold of a room, and for which nothing else stands. */
  async function forgetRoom(transaction: Transaction<Tables>, roomId: string): Promise<void> {
    await forgetRoomMessages(transaction, roomId)
    await transaction.deleteFrom("rooms").where("id", "=", roomId).execute()
    for (const table of ["invitations", "members", "kept_out", "read_positions"] as const)
      await transaction.deleteFrom(table).where("room_id", "=", roomId).execute()
    const { name: channel } = roomChannel({ room: roomId })
    await transaction.deleteFrom("presence").where("channel", "=", channel).execute()
    await doomFilesOf(transaction, roomId, now())
  }

  /** Out of a room, with where they were in it. Undefined where they weren't in it. */
  async function takeOut(transaction: Transaction<Tables>, userId: string, roomId: string) {
    const member = await transaction
      .deleteFrom("members")
      .where("room_id", "=", roomId)
      .where("user_id", "=", userId)
      .returning("user_name")
      .executeTakeFirst()
    await transaction
      .deleteFrom("read_positions")
      .where("room_id", "=", roomId)
      .where("user_id", "=", userId)
      .execute()
    return member
  }

  return {
    find,
    isMember,
    isKeptOut: (userId, roomId) => isKeptOut(userId, roomId),
    async create(user, { name, isPrivate }) {
      const room: Room = { id: uuidv7(), name, isPrivate, ownerId: user.id }
      const head = await headOf(room.id)
      const at = now()
      const row = { name, is_private: isPrivate ? 1 : 0, owner_id: user.id, created_at: at, active_at: at }
      // Both or neither: a private room with nobody in it could never be found again.
      await database.transaction().execute(async (transaction) => {
        await transaction
          .insertInto("rooms")
          .values({ id: room.id, ...row })
          .execute()
        await addMember(transaction, user, room.id, head)
        const made = { roomId: room.id, by: user, event: "room-created", payload: {} } as const
        await noteAnnouncement(transaction, made)
      })
      return room
    },
    async list(userId) {
      const listed = [...columns, "rooms.active_at"] as const
      const own = ownRooms(database, userId).select([...listed, sql<number>`1`.as("is_own")])
      const others = database
        .selectFrom("rooms")
        .select([...listed, sql<number>`0`.as("is_own")])
        .where("rooms.is_private", "=", 0)
        .where(({ not, exists, selectFrom }) =>
          not(
            exists(
              selectFrom("members")
                .select("user_id")
                .whereRef("room_id", "=", "rooms.id")
                .where("user_id", "=", userId),
            ),
          ),
        )
        .orderBy("rooms.active_at", "desc")
        .orderBy("rooms.id", "desc")
        .limit(maxOtherRooms)
      // In one look, so that a room which is joined or left meanwhile is in it once.
      const rows = await database
        .selectFrom(own.as("own"))
        .selectAll()
        .unionAll(database.selectFrom(others.as("others")).selectAll())
        .orderBy("is_own", "desc")
        .orderBy("active_at", "desc")
        .orderBy("id", "desc")
        .execute()
      return rows.map((row) => ({ ...toRoom(row), isMember: row.is_own === 1 }))
    },
    async join(user, roomId) {
      const found = await find(user.id, roomId)
      return found ? enter(user, found) : false
    },
    leave: (userId, roomId) =>
      database.transaction().execute(async (transaction) => {
        const member = await takeOut(transaction, userId, roomId)
        if (!member) return false
        const by = { id: userId, name: member.user_name }
        await noteAnnouncement(transaction, { roomId, by, event: "member-left", payload: {} })
        return true
      }),
    async members(roomId) {
      const rows = await database
        .selectFrom("members")
        .select(["user_id", "user_name"])
        .where("room_id", "=", roomId)
        .orderBy("joined_at")
        .limit(500)
        .execute()
      return rows.map(({ user_id, user_name }) => ({ id: user_id, name: user_name }))
    },
    async rename(userId, roomId, name) {
      const owned = await ownRoom(userId, roomId)
      if (!owned) return false
      return database.transaction().execute(async (transaction) => {
        const { numUpdatedRows } = await transaction
          .updateTable("rooms")
          .set({ name })
          .where("id", "=", roomId)
          .where("name", "<>", name)
          .executeTakeFirst()
        if (numUpdatedRows === 0n) return false
        const renamed = { roomId, by: owned.owner, event: "room-renamed", payload: { name } } as const
        await noteAnnouncement(transaction, renamed)
        return true
      })
    },
    async remove(userId, roomId, memberId) {
      const owned = await ownRoom(userId, roomId)
      if (!owned || memberId === userId) return null
      const member = await database.transaction().execute(async (transaction) => {
        await holdRoom(transaction, roomId)
        const isThere = await transaction
          .selectFrom("members")
          .select("user_id")
          .where("room_id", "=", roomId)
          .where("user_id", "=", memberId)
          .executeTakeFirst()
        if (!isThere) return undefined
        if (owned.isPrivate)
          await transaction.deleteFrom("invitations").where("room_id", "=", roomId).execute()
        const out = await takeOut(transaction, memberId, roomId)
        // They left by themselves meanwhile, and the room is told that.
        if (!out) return undefined
        const person = { id: memberId, name: out.user_name }
        if (!owned.isPrivate)
          await transaction
            .insertInto("kept_out")
            .values({ room_id: roomId, user_id: memberId, user_name: person.name, since: now() })
            // Let in by a release that knows of nobody who is kept out.
            .onConflict((conflict) => conflict.columns(["room_id", "user_id"]).doNothing())
            .execute()
        const putOut = { roomId, by: person, event: "member-put-out", payload: {} } as const
        await noteAnnouncement(transaction, putOut)
        return person
      })
      return member ?? null
    },
    async keptOut(userId, roomId) {
      if (!(await ownRoom(userId, roomId))) return null
      const rows = await keptOutOf(roomId)
        .select(["kept_out.user_id", "kept_out.user_name"])
        // They can't come back as whom they were.
        .where(({ not, exists, selectFrom }) =>
          not(
            exists(
              selectFrom("departed_guests")
                .select("departed_guests.user_id")
                .whereRef("departed_guests.user_id", "=", "kept_out.user_id"),
            ),
          ),
        )
        .orderBy("kept_out.since", "desc")
        .orderBy("kept_out.user_id")
        .limit(500)
        .execute()
      return rows.map(({ user_id, user_name }) => ({ id: user_id, name: user_name }))
    },
    async letIn(userId, roomId, memberId) {
      if (!(await ownRoom(userId, roomId))) return false
      const { numDeletedRows } = await database
        .deleteFrom("kept_out")
        .where("room_id", "=", roomId)
        .where("user_id", "=", memberId)
        .executeTakeFirst()
      return numDeletedRows > 0n
    },
    async letEverybodyIn(userId, roomId) {
      if (!(await ownRoom(userId, roomId))) return []
      const rows = await database
        .deleteFrom("kept_out")
        .where("room_id", "=", roomId)
        .returning("user_id")
        .execute()
      return rows.map(({ user_id }) => user_id)
    },
    async delete(userId, roomId) {
      if (!(await ownRoom(userId, roomId))) return false
      return database.transaction().execute(async (transaction) => {
        await holdRoomMessages(transaction, roomId)
        // Another tab of theirs may have been first.
        const owned = (await holdRoom(transaction, roomId)) && (await ownRoom(userId, roomId, transaction))
        if (!owned) return false
        await forgetRoom(transaction, roomId)
        await transaction.insertInto("deleted_rooms").values({ room_id: roomId, deleted_at: now() }).execute()
        await transaction.deleteFrom("announcements").where("room_id", "=", roomId).execute()
        const deleted = { roomId, by: owned.owner, event: "room-deleted", payload: {} } as const
        await noteAnnouncement(transaction, deleted)
        return true
      })
    },
    async clear(log) {
      const deleted = await database
        .selectFrom("deleted_rooms")
        .selectAll()
        // Whoever has it open is told first.
        .where(({ not, exists, selectFrom }) =>
          not(
            exists(
              selectFrom("announcements")
                .select("announcements.id")
                .whereRef("announcements.room_id", "=", "deleted_rooms.room_id"),
            ),
          ),
        )
        .execute()
      if (deleted.length === 0) return 0
      const isLate = deleted.map(({ deleted_at }) => Number(deleted_at) <= now() - lateMs)
      const channels = deleted.map(({ room_id }) => roomChannel({ room: room_id }).name)
      const removed = await log.trim({ channels, maxMessagesPerChannel: 0 })
      for (const [index, { room_id }] of deleted.entries()) {
        if (!isLate[index]) continue
        await database.transaction().execute(async (transaction) => {
          // What was asked, read or attached while it was deleted may have left something.
          await forgetRoom(transaction, room_id)
          await transaction.deleteFrom("deleted_rooms").where("room_id", "=", room_id).execute()
        })
      }
      return removed
    },
    async forget(userId) {
      await database.transaction().execute(async (transaction) => {
        await forgetMessages(transaction, userId)
        await transaction
          .updateTable("rooms")
          .set({ owner_id: null })
          .where("owner_id", "=", userId)
          .execute()
        await transaction.deleteFrom("invitations").where("created_by", "=", userId).execute()
        await transaction.deleteFrom("members").where("user_id", "=", userId).execute()
        await transaction.deleteFrom("kept_out").where("user_id", "=", userId).execute()
        await transaction.deleteFrom("read_positions").where("user_id", "=", userId).execute()
        await transaction.deleteFrom("presence").where("user_id", "=", userId).execute()
        await transaction.deleteFrom("device_links").where("user_id", "=", userId).execute()
        await transaction.deleteFrom("guest_names").where("user_id", "=", userId).execute()
        await forgetAnnouncements(transaction, userId)
      })
    },
    async invite(userId, roomId) {
      const token = randomBytes(24).toString("base64url")
      await database
        .deleteFrom("invitations")
        .where("created_at", "<=", now() - invitationMs - rememberedMs)
        .execute()
      return database.transaction().execute(async (transaction) => {
        await holdRoom(transaction, roomId)
        // Whoever is put out makes none after theirs were made void.
        if (!(await memberOf(userId, roomId, transaction))) return null
        await transaction
          .insertInto("invitations")
          .values({ token_hash: hashOf(token), room_id: roomId, created_by: userId, created_at: now() })
          .execute()
        return token
      })
    },
    async withdrawInvitations(userId, roomId) {
      if (!(await ownRoom(userId, roomId))) return false
      await database.transaction().execute(async (transaction) => {
        await holdRoom(transaction, roomId)
        await transaction.deleteFrom("invitations").where("room_id", "=", roomId).execute()
      })
      return true
    },
    async invitation(token) {
      const row = await database
        .selectFrom("invitations")
        .innerJoin("rooms", "rooms.id", "invitations.room_id")
        .leftJoin("members", (join) =>
          join
            .onRef("members.room_id", "=", "invitations.room_id")
            .onRef("members.user_id", "=", "invitations.created_by"),
        )
        .select([...columns, "members.user_name", "invitations.created_at"])
        .where("token_hash", "=", hashOf(token))
        .executeTakeFirst()
      if (!row) return null
      if (Number(row.created_at) <= now() - invitationMs) return "expired"
      return { room: toRoom(row), invitedBy: row.user_name }
    },
    async accept(user, token) {
      const row = await database
        .selectFrom("invitations")
        .innerJoin("rooms", "rooms.id", "invitations.room_id")
        .select(columns)
        .where("token_hash", "=", hashOf(token))
        .where("invitations.created_at", ">", now() - invitationMs)
        .executeTakeFirst()
      if (!row) return null
      const head = await headOf(row.id)
      return database.transaction().execute(async (transaction) => {
        await holdRoom(transaction, row.id)
        // Whoever made it void meanwhile came before.
        const invitation = await transaction
          .selectFrom("invitations")
          .select("room_id")
          .where("token_hash", "=", hashOf(token))
          .executeTakeFirst()
        if (!invitation || (await isKeptOut(user.id, row.id, transaction))) return null
        const isNew = await addMember(transaction, user, row.id, head)
        const joined = { roomId: row.id, by: user, event: "member-joined", payload: {} } as const
        if (isNew) await noteAnnouncement(transaction, joined)
        return { room: toRoom(row), isNew }
      })
    },
  }
}

/** Makes the lobby, once; several processes may try. */
export async function ensureLobby(database: Database, now: () => number = Date.now): Promise<void> {
  const at = now()
  await database
    .insertInto("rooms")
    .values({ id: lobbyId, name: "Lobby", is_private: 0, owner_id: null, created_at: at, active_at: at })
    .onConflict((conflict) => conflict.column("id").doNothing())
    .execute()
}
