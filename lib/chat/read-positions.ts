import { sql } from "kysely"
import type { Cursor } from "throughline"
import type { Database } from "./database.ts"
import type { MessageIndex } from "./message-index.ts"
import { ownRooms } from "./rooms.ts"

/** What of a room one hasn't read: what came after `read`, up to `head`. */
export interface UnreadRoom {
  room: string
  /** Others' messages that weren't deleted; both numbers stop at 100. */
  unread: number
  /** Those of them that mention one or answer a message of one's own. */
  mentions: number
  read: Cursor
  head: Cursor
  /** When something was last said; absent where nothing was. */
  at?: number
}

/** How far a person has read, the same for all their tabs and devices. */
export interface ReadPositions {
  /** Of the rooms that this person is in; of very many, the most recently active. */
  unread(userId: string): Promise<UnreadRoom[]>
  /** Moves on, never back; resolves with where it is now. A place in another life of the log moves nothing. */
  move(userId: string, roomId: string, place: Cursor): Promise<Cursor>
}

/** More than that is "99+" to everybody. */
const maxCounted = 100

export interface ReadPositionsOptions {
  database: Database
  index: Pick<MessageIndex, "catchUp">
}

export function createReadPositions({ database, index }: ReadPositionsOptions): ReadPositions {
  /** Whoever has no position has read everything until now; one that another process made meanwhile stays. */
  async function start(userId: string, positions: { roomId: string; seq: number }[]): Promise<void> {
    if (positions.length === 0) return
    await database
      .insertInto("read_positions")
      .values(positions.map(({ roomId, seq }) => ({ user_id: userId, room_id: roomId, seq })))
      .onConflict((conflict) => conflict.columns(["user_id", "room_id"]).doNothing())
      .execute()
  }

  async function countsOf(userId: string, roomIds: readonly string[]) {
    const { rows } = await sql<{
      room: string
      seq: number | string | null
      unread: number | string
      mentions: number | string
      at: number | string | null
      epoch: string
      head: number | string
    }>`
      SELECT m.room_id AS room, p.seq, c.epoch, c.seq AS head,
        (SELECT count(*) FROM (
          SELECT 1 FROM message_index i
          WHERE i.room_id = m.room_id AND i.seq > p.seq AND i.author_id <> ${userId} AND i.is_deleted = 0
          LIMIT ${maxCounted}
        ) AS counted) AS unread,
        (SELECT count(*) FROM (
          SELECT 1 FROM message_mentions n WHERE n.user_id = ${userId} AND n.room_id = m.room_id AND n.seq > p.seq
          LIMIT ${maxCounted}
        ) AS counted) AS mentions,
        (SELECT i.at FROM message_index i WHERE i.room_id = m.room_id AND i.is_deleted = 0
          ORDER BY i.seq DESC LIMIT 1) AS at
      FROM members m JOIN message_index_cursors c ON c.room_id = m.room_id
        LEFT JOIN read_positions p ON p.user_id = m.user_id AND p.room_id = m.room_id
      WHERE m.user_id = ${userId} AND m.room_id IN (${sql.join(roomIds)})`.execute(database)
    return rows
  }

  return {
    async unread(userId) {
      const roomIds = (await ownRooms(database, userId).select("rooms.id").execute()).map(({ id }) => id)
      if (roomIds.length === 0) return []
      await index.catchUp(roomIds)
      // The head is how far the index has come, in the same look: what the log took meanwhile is counted by who goes on from there.
      const counted = (await countsOf(userId, roomIds)).flatMap(
        ({ room, seq, unread, mentions, at, epoch, head }) => {
          // Joined between the two questions: the next answer has it.
          if (epoch === "") return []
          const read = Number(seq === null ? head : seq)
          return {
            ...{ room, unread: Number(unread), mentions: Number(mentions), isNew: seq === null },
            read: { epoch, seq: read },
            head: { epoch, seq: Number(head) },
            ...(at !== null && { at: Number(at) }),
          }
        },
      )
      await start(
        userId,
        counted.filter(({ isNew }) => isNew).map(({ room, read }) => ({ roomId: room, seq: read.seq })),
      )
      return counted.map(({ isNew: _, ...room }) => room)
    },

    async move(userId, roomId, { epoch, seq }) {
      // Also what brings the positions into the log's present life.
      const {
        heads: [head],
      } = await index.catchUp([roomId])
      if (!head) throw new Error("the log gave no head")
      if (epoch !== head.epoch) await start(userId, [{ roomId, seq: head.seq }])
      else {
        const reached = Math.min(seq, head.seq)
        await database
          .insertInto("read_positions")
          .values({ user_id: userId, room_id: roomId, seq: reached })
          .onConflict((conflict) =>
            conflict
              .columns(["user_id", "room_id"])
              .doUpdateSet({ seq: reached })
              .where("read_positions.seq", "<", reached),
          )
          .execute()
      }
      const row = await database
        .selectFrom("read_positions")
        .select("seq")
        .where("user_id", "=", userId)
        .where("room_id", "=", roomId)
        .executeTakeFirstOrThrow()
      return { epoch: head.epoch, seq: Number(row.seq) }
    },
  }
}
