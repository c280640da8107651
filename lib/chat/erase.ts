import type { MessageLog } from "throughline/server"
import { v7 as uuidv7 } from "uuid"
import { forgetAnnouncements } from "./announcements.ts"
import { room } from "./channels.ts"
import type { Database } from "./database.ts"
import type { MessageIndex } from "./message-index.ts"
import type { Rooms } from "./rooms.ts"

const entriesPerAppend = 100

interface EraseOptions {
  database: Database
  log: Pick<MessageLog, "append" | "erase">
  index: Pick<MessageIndex, "catchUp" | "deletedBy">
}

/**
 * Takes what a person sent out of the log; resolves with how many messages. What no room was told of them yet is taken back first, or
 * whoever says it later would write their name into the log again. What they deleted of others' (a room's owner may) would come back with
 * the erasure, so the server says it again, in nobody's name.
 */
export async function eraseMessages({ database, log, index }: EraseOptions, userId: string): Promise<number> {
  await forgetAnnouncements(database, userId)
  for (const { id } of await database.selectFrom("rooms").select("id").execute()) {
    while ((await index.catchUp([id])).isIndexing);
  }
  const deletions = (await index.deletedBy(userId)).map(({ roomId, id }) => ({
    ...{ id: uuidv7(), channel: room({ room: roomId }).name },
    ...{ event: "message-deleted", payload: { target: id }, from: null },
  }))
  for (let from = 0; from < deletions.length; from += entriesPerAppend)
    await log.append(deletions.slice(from, from + entriesPerAppend))
  return log.erase(userId)
}

/**
 * Takes a person out of the log and every table; resolves with how many messages. Twice: whoever was let to do something before the
 * person was in no room any more may have said of them what the first time didn't find, as an owner who put them out meanwhile.
 */
export async function erasePerson(
  { rooms, ...options }: EraseOptions & { rooms: Pick<Rooms, "forget"> },
  userId: string,
): Promise<number> {
  let erased = 0
  for (let time = 1; time <= 2; time += 1) {
    erased += await eraseMessages(options, userId)
    await rooms.forget(userId)
  }
  return erased
}
