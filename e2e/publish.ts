import { join } from "node:path"
import { v7 as uuidv7 } from "uuid"
import type { MessageLog } from "../realtime/log/message-log.ts"
import { createPostgresLog } from "../realtime/log/postgres.ts"
import { createSqliteLog } from "../realtime/log/sqlite.ts"
import type { ChatServers } from "./chat-servers.ts"
import { expect } from "./fixtures.ts"
import type { RoomPage } from "./pages/room-page.ts"
import type { Person } from "./person.ts"

export const roomIdOf = (room: RoomPage): string => new URL(room.url).pathname.split("/").at(-1) ?? ""

/** Says all of it in one request, as a page does with what it wrote offline. */
export async function publish(person: Person, room: RoomPage, texts: readonly string[]): Promise<void> {
  const { request } = person.page
  for (let from = 0; from < texts.length; from += 50) {
    const messages = texts
      .slice(from, from + 50)
      .map((text) => ({ id: uuidv7(), event: "text-sent", payload: { text } }))
    const answer = await request.post("/api/realtime/publish", {
      data: { channel: `room:${roomIdOf(room)}`, messages },
    })
    expect(answer.ok(), await answer.text()).toBe(true)
  }
}

/** The log, beside the servers that use it, by a clock of one's own if need be. */
export function openLog({ dataDir, databaseUrl }: ChatServers, now?: () => number): MessageLog {
  if (databaseUrl) return createPostgresLog({ connectionString: databaseUrl, ...(now && { now }) })
  if (!dataDir) throw new TypeError("unable to open the log; this layout keeps it nowhere")
  return createSqliteLog({ path: join(dataDir, "realtime.db"), ...(now && { now }) })
}

/** Seven people write in turn, in messages of one to four lines. */
export const talk = (number: number) => ({
  from: { id: `p${number % 7}`, name: `Person ${number % 7}` },
  payload: { text: `number ${number}${"\nand another line".repeat(number % 4)}` },
})

/** Writes so many messages into a room's log, as people would have over the years. Resolves with the first one's `seq` and id. */
export async function fill(
  chat: ChatServers,
  room: RoomPage,
  count: number,
): Promise<{ id: string; seq: number }> {
  const log = openLog(chat)
  const channel = `room:${roomIdOf(room)}`
  let first: { id: string; seq: number } | undefined
  for (let from = 1; from <= count; from += 1_000) {
    const numbers = Array.from({ length: Math.min(1_000, count - from + 1) }, (_, index) => from + index)
    const [result] = await log.append(
      numbers.map((number) => ({ id: uuidv7(), channel, event: "text-sent", ...talk(number) })),
    )
    first ??= result
  }
  await log.close()
  if (!first) throw new TypeError("unable to fill the room with nothing")
  return first
}
