import { sql } from "kysely"
import { matchChannel, type OnError, type User } from "throughline"
import type { LogEntry, MessageLog } from "throughline/server"
import { createSparing } from "../operations/sparing.ts"
import { room } from "./channels.ts"
import type { Database } from "./database.ts"
import { maxFollowed } from "./room-activity.ts"

export interface RoomBellOptions {
  log: MessageLog
  database: Database
  /** Tells this person's pages that something was said in a room. */
  tell(personId: string, roomId: string, from: User): Promise<void>
  /** Of a function, which stands still once it has answered. */
  waitUntil?: ((work: Promise<unknown>) => void) | undefined
  onError: OnError
}

/** The most who are told of a message. */
const maxTold = 50

/**
 * The log, with a bell: whoever is in more rooms than a page follows is told when something is said in one of them, so that their page
 * asks what is unread. Two limits keep that cheap. A room of more than `maxTold` people rings for those whom the message mentions alone:
 * the others' pages ask once a minute anyway. A smaller one rings for everybody once a second at most, and in between for those who are
 * mentioned: whoever was told a moment ago has asked, and follows the room by now.
 */
export function withRoomBell({ log, database, tell, waitUntil, onError }: RoomBellOptions): MessageLog {
  const isNews = createSparing(1, 1)

  /** Of these, who are in the room, and in more than a page follows. */
  async function farFrom(roomId: string, people: readonly string[]): Promise<string[]> {
    const { rows } = await sql<{ user_id: string }>`
      SELECT user_id FROM members WHERE user_id IN (${sql.join(people)}) GROUP BY user_id
      HAVING count(*) > ${maxFollowed} AND sum(CASE WHEN room_id = ${roomId} THEN 1 ELSE 0 END) > 0`.execute(
      database,
    )
    return rows.map(({ user_id }) => user_id)
  }

  async function ring(roomId: string, said: readonly LogEntry[]): Promise<void> {
    const from = said.at(-1)?.from
    const mentioned = [...new Set(said.flatMap(mentionsIn))]
    const isForAll = await isNews(roomId)
    if (!from || !(isForAll || mentioned.length > 0)) return
    const members = await database
      .selectFrom("members")
      .select("user_id")
      .where("room_id", "=", roomId)
      .limit(maxTold + 1)
      .execute()
    const near = isForAll && members.length <= maxTold ? members.map(({ user_id }) => user_id) : mentioned
    const others = near.filter((id) => id !== from.id).slice(0, maxTold)
    if (others.length === 0) return
    const told = await farFrom(roomId, others)
    await Promise.all(told.map((id) => tell(id, roomId, from)))
  }

  return {
    ...log,
    async append(entries) {
      const results = await log.append(entries)
      const texts = entries.filter(({ event }) => event === "text-sent")
      for (const [channel, said] of Map.groupBy(texts, ({ channel }) => channel)) {
        const roomId = matchChannel(room, channel)?.room
        if (roomId === undefined) continue
        const rung = ring(roomId, said).catch((error: unknown) =>
          onError(error, { stage: "tell of unread messages" }),
        )
        waitUntil?.(rung)
      }
      return results
    },
  }
}

function mentionsIn({ payload }: LogEntry): string[] {
  const { mentions } = payload as { mentions?: string[] }
  return mentions ?? []
}
