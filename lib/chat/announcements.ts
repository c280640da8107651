import type { Kysely, Transaction } from "kysely"
import { isRealtimeError, type MessageInput, type OnError, RealtimeError, type User } from "throughline"
import type { Realtime } from "throughline/server"
import { v7 as uuidv7 } from "uuid"
import { type ChatChannels, type RoomDefinition, room } from "./channels.ts"
import type { SystemMessage } from "./conversation.ts"
import type { Database, Tables } from "./database.ts"

/** What the server says in a room of what somebody has done there, or was done to. */
type Announced = Exclude<SystemMessage["event"], "erased" | Legacy["event"]>
type Legacy = Extract<SystemMessage, { event: "member-removed" }>

/**
 * Notes, in the transaction by which it is done, what the room has to be told of it: one isn't there without the other, however the
 * process ends. `createAnnouncements` says it.
 */
export async function noteAnnouncement<E extends Announced>(
  transaction: Transaction<Tables>,
  {
    roomId,
    by,
    event,
    payload,
  }: { roomId: string; by: User; event: E; payload: MessageInput<RoomDefinition, E> },
): Promise<void> {
  await transaction
    .insertInto("announcements")
    .values({
      ...{ id: uuidv7(), room_id: roomId, user_id: by.id, user_name: by.name ?? "" },
      ...{ event, payload: JSON.stringify(payload) },
    })
    .execute()
}

/** Takes back what no room was told yet of a person, and what a release before noted in the owner's name. */
export async function forgetAnnouncements(database: Kysely<Tables>, userId: string): Promise<void> {
  await database.deleteFrom("announcements").where("user_id", "=", userId).execute()
  const removals = await database
    .selectFrom("announcements")
    .select(["id", "payload"])
    .where("event", "=", "member-removed" satisfies Legacy["event"])
    .execute()
  const ids = removals
    .filter(({ payload }) => (JSON.parse(payload) as Legacy["payload"]).person.id === userId)
    .map(({ id }) => id)
  if (ids.length > 0) await database.deleteFrom("announcements").where("id", "in", ids).execute()
}

export interface Announcements {
  /**
   * Says what was noted of a room, or of all, and not said yet. Never rejects: it is done, and isn't to look as if it had failed. What
   * couldn't be said is logged, and said the next time, under the same id, so that the room has it once.
   */
  say(roomId?: string): Promise<void>
}

export interface AnnouncementsOptions {
  database: Database
  realtime: Pick<Realtime<ChatChannels>, "publishBatch">
  onError: OnError
}

const perCommit = 100

export function createAnnouncements({ database, realtime, onError }: AnnouncementsOptions): Announcements {
  /**
   * Of each room the turn that runs, and the one after it. The latter reads what is noted only once it runs, so that it says it for
   * all who come meanwhile: they wait for one turn together, not one behind the other, however slowly the log fails.
   */
  const turns = new Map<string, { running: Promise<void>; next: Promise<void> | null }>()

  async function sayNoted(roomId: string): Promise<void> {
    for (;;) {
      const noted = await database
        .selectFrom("announcements")
        .selectAll()
        .where("room_id", "=", roomId)
        .orderBy("id")
        .limit(perCommit)
        .execute()
      if (noted.length === 0) return
      const channel = room({ room: roomId })
      const entries = noted.map(({ id, event, payload, user_id, user_name }) => ({
        ...{ id, channel, event, payload: JSON.parse(payload) as unknown },
        from: { id: user_id, ...(user_name && { name: user_name }) },
      }))
      await realtime.publishBatch(entries).catch((cause: unknown) => {
        const events = [...new Set(noted.map(({ event }) => event))].join(", ")
        const message = `unable to say ${events} in ${channel.name}; it is done all the same, and said later`
        throw new RealtimeError(isRealtimeError(cause) ? cause.code : "internal", { message, cause })
      })
      const ids = noted.map(({ id }) => id)
      await database.deleteFrom("announcements").where("id", "in", ids).execute()
      if (noted.length < perCommit) return
    }
  }

  function begin(roomId: string): Promise<void> {
    const running = sayNoted(roomId)
      .catch((error: unknown) => onError(error, { stage: "announce" }))
      .finally(() => {
        if (!turn.next) turns.delete(roomId)
      })
    const turn = { running, next: null as Promise<void> | null }
    turns.set(roomId, turn)
    return running
  }

  function sayIn(roomId: string): Promise<void> {
    const turn = turns.get(roomId)
    if (!turn) return begin(roomId)
    turn.next ??= turn.running.then(() => begin(roomId))
    return turn.next
  }

  return {
    async say(roomId) {
      if (roomId !== undefined) return sayIn(roomId)
      const rooms = database.selectFrom("announcements").select("room_id").distinct().execute()
      const noted = await rooms.catch((error: unknown) => {
        onError(error, { stage: "announce" })
        return []
      })
      for (const { room_id } of noted) await sayIn(room_id)
    },
  }
}
