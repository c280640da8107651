import { sql, type Transaction } from "kysely"
import { areOfDifferentMessages, type LogHead, type LogPage, markOf, type RealtimeMessage } from "throughline"
import type { MessageLog } from "throughline/server"
import { createSharedReads } from "throughline/server"
import { room } from "./channels.ts"
import type { Database, Tables } from "./database.ts"
import { wordsOf } from "./search-words.ts"

export interface IndexedMessage {
  seq: number
  authorId: string
  isDeleted: boolean
}

/** As much of what was said as a quote of it shows. */
export interface QuotedMessage {
  id: string
  from: { id: string; name: string }
  /** Empty where it was deleted, and of files alone. */
  text: string
  isDeleted: boolean
}

export interface Progress {
  /** Of the rooms' logs, in their order. */
  heads: LogHead[]
  /** There was more in the logs than one request reads; the next one goes on from there. */
  isIndexing: boolean
}

/**
 * What was said in the rooms, as it stands now: a projection of their logs into the chat's own database, for what a log can't answer
 * (whose is it, was it deleted, how many are unread, where is this word).
 *
 * It is pulled, not pushed: whoever asks has it read on from its own cursor first. So it holds what the log held at the moment of the
 * request, whichever process wrote it and however it ended, and is made anew by itself when it is lost
 * (`docs/decisions/2026-11-25-pulled-message-index.md`).
 */
export interface MessageIndex {
  /** Reads what these rooms' logs hold and the index doesn't. */
  catchUp(roomIds: readonly string[]): Promise<Progress>
  /** A message of this room; null where there is none, or none is kept. Ask for it after `catchUp`. */
  find(roomId: string, id: string): Promise<IndexedMessage | null>
  /** These messages of the room as they stand now; those that aren't kept any more are left out. */
  quote(roomId: string, ids: readonly string[]): Promise<QuotedMessage[]>
  /** What this person deleted of others'. */
  deletedBy(userId: string): Promise<{ roomId: string; id: string }[]>
}

export interface MessageIndexOptions {
  database: Database
  isPostgres: boolean
  log: Pick<MessageLog, "heads" | "readAfter">
  /** How many entries of the log one request reads, rooms taken together. */
  maxEntries?: number
}

/** SQLite's share of the work keeps its process from everything else: some 40 ms for a page of this size. */
const pageSize = 200
const defaultMaxEntries = 3_000
/** SQLite takes 32,766 parameters in a statement. */
const rowsPerInsert = 2_000

interface Cursor {
  roomId: string
  epoch: string
  seq: number
  mark: string | undefined
  first: number
  version: number
}

/** A row of the index while it is folded. */
interface Row {
  id: string
  seq: number
  author_id: string
  author_name: string
  at: number
  text: string
  is_deleted: number
  deleted_by: string | null
  reply_author: string | null
  /** Of whoever is to be told; what changes a row says them anew. */
  mentions: string[]
}

const unread = { epoch: "", seq: 0, mark: null, mark_seq: null, first: 1, version: 0 }

const channelOf = (roomId: string): string => room({ room: roomId }).name

export function createMessageIndex({
  database,
  isPostgres,
  log,
  maxEntries = defaultMaxEntries,
}: MessageIndexOptions): MessageIndex {
  const share = createSharedReads()

  /**
   * None of a room that was deleted. A cursor has to be there before the log is read by it: by its version an erasure tells whoever read the
   * log before it that what they read may not be written any more.
   */
  async function cursorsOf(roomIds: readonly string[]): Promise<Map<string, Cursor>> {
    const load = async () => {
      const rows = await database
        .selectFrom("message_index_cursors")
        .selectAll()
        .where("room_id", "in", roomIds)
        .execute()
      return new Map(rows.map((row) => [row.room_id, toCursor(row)]))
    }
    const known = await load()
    const missing = roomIds.filter((roomId) => !known.has(roomId))
    if (missing.length === 0) return known
    const rooms = database.selectFrom("rooms").select("id").where("id", "in", missing)
    const there = (await rooms.execute()).map(({ id }) => ({ ...unread, room_id: id }))
    if (there.length === 0) return known
    await database
      .insertInto("message_index_cursors")
      .values(there)
      .onConflict((conflict) => conflict.column("room_id").doNothing())
      .execute()
    return load()
  }

  const cursorOf = async (roomId: string) => (await cursorsOf([roomId])).get(roomId)
  // Asked for after the cursor, a head is never behind it, unless the log went back.
  const headOf = async (roomId: string) => (await log.heads([channelOf(roomId)]))[0] as LogHead

  async function catchUp(roomIds: readonly string[]): Promise<Progress> {
    if (roomIds.length === 0) return { heads: [], isIndexing: false }
    const cursors = await cursorsOf(roomIds)
    const heads = await log.heads(roomIds.map(channelOf))
    const behind = roomIds
      .flatMap((roomId, index) => {
        const cursor = cursors.get(roomId)
        return cursor ? [{ cursor, head: heads[index] as LogHead }] : []
      })
      .filter(({ cursor, head }) => !isCurrent(cursor, head))
      // The one that takes long doesn't keep the others waiting.
      .sort((a, b) => lagOf(a) - lagOf(b))
    let left = maxEntries
    let isIndexing = false
    rooms: for (let { cursor, head } of behind) {
      while (!isCurrent(cursor, head) && left > 0) {
        const page = await log.readAfter(channelOf(cursor.roomId), cursor.seq, Math.min(pageSize, left))
        left -= Math.max(1, page.messages.length)
        if (page.messages.length > 0) await new Promise((resolve) => setImmediate(resolve))
        const reached = isRestart(cursor, page) ? await sharedWith(cursor.roomId, page.head) : 0
        const moved = await database
          .transaction()
          .execute((transaction) => advance(transaction, cursor, page, reached))
        const next = moved ?? (await cursorOf(cursor.roomId))
        // Deleted meanwhile: there is nothing left to read.
        if (!next) continue rooms
        cursor = next
        head = moved ? page.head : await headOf(cursor.roomId)
      }
      isIndexing ||= !isCurrent(cursor, head)
    }
    return { heads, isIndexing }
  }

  /**
   * How far a log that was put back is the one that the index knows: what it holds behind that nobody has read. Where nothing is left
   * to compare, its end.
   */
  async function sharedWith(roomId: string, { first, seq }: LogHead): Promise<number> {
    const known = database
      .selectFrom("message_index")
      .where("room_id", "=", roomId)
      .where("seq", ">=", first)
      .where("seq", "<=", seq)
    const { count } = await known
      .select(({ fn }) => fn.countAll<number | string>().as("count"))
      .executeTakeFirstOrThrow()
    if (Number(count) === 0) return seq
    let shared = 0
    for (let [low, high] = [0, Number(count)]; low < high; ) {
      const middle = Math.floor((low + high) / 2)
      const row = await known
        .select(["id", "seq", "at"])
        .orderBy("seq")
        .offset(middle)
        .limit(1)
        .executeTakeFirst()
      const place = Number(row?.seq ?? 0)
      const [message] = row ? (await log.readAfter(channelOf(roomId), place - 1, 1)).messages : []
      if (message?.seq === place && message.id === row?.id && message.at === Number(row.at)) {
        shared = place
        low = middle + 1
      } else high = middle
    }
    return shared
  }

  /** Takes a page into the index; null when another process moved the cursor meanwhile. `reached` is how far the log was the same until a restart. */
  async function advance(
    transaction: Transaction<Tables>,
    cursor: Cursor,
    logPage: LogPage,
    reached: number,
  ): Promise<Cursor | null> {
    const { head, messages } = logPage
    const { roomId, version } = cursor
    const isAnew = isRestart(cursor, logPage)
    // A page of another life was read from the wrong place: the next one begins at its beginning.
    const page = isAnew ? [] : messages
    const next: Cursor = {
      ...{ roomId, epoch: head.epoch, first: head.first, version: version + 1 },
      ...(isAnew ? { seq: 0, mark: undefined } : placeAfter(page, head)),
    }
    // The write comes first: it takes the lock behind which everything else is decided.
    const { numUpdatedRows } = await transaction
      .updateTable("message_index_cursors")
      .set({ epoch: next.epoch, seq: next.seq, first: next.first, version: next.version })
      .set({ mark: next.mark ?? null, mark_seq: next.seq })
      .where("room_id", "=", roomId)
      .where("version", "=", version)
      .executeTakeFirst()
    if (numUpdatedRows === 0n) return null
    if (isAnew) {
      await forgetBefore(transaction, roomId, Number.MAX_SAFE_INTEGER)
      // Whoever read the log in its former life has read of the new one at most what both have in common.
      await transaction
        .updateTable("read_positions")
        .set({ seq: reached })
        .where("room_id", "=", roomId)
        .where("seq", ">", reached)
        .execute()
    } else if (head.first > cursor.first) await forgetBefore(transaction, roomId, head.first)
    await fold(transaction, roomId, page)
    return next
  }

  async function forgetBefore(transaction: Transaction<Tables>, roomId: string, seq: number): Promise<void> {
    for (const table of ["message_index", "message_mentions"] as const)
      await transaction.deleteFrom(table).where("room_id", "=", roomId).where("seq", "<", seq).execute()
  }

  async function fold(
    transaction: Transaction<Tables>,
    roomId: string,
    messages: readonly RealtimeMessage[],
  ): Promise<void> {
    const rows = new Map<string, Row>()
    const changed = new Set<Row>()
    const isNew = new Set(messages.map(({ id }) => id))
    const known = await rowsOf(transaction, roomId, [
      ...new Set(messages.flatMap(targetsOf).filter((id) => !isNew.has(id))),
    ])
    for (const row of known) rows.set(row.id, row)
    for (const message of messages) {
      const row = foldOne(rows, message)
      if (row) changed.add(row)
    }
    await write(transaction, roomId, [...changed])
    const saidAt = messages.findLast(({ event }) => event === "text-sent")?.at
    if (saidAt === undefined) return
    await transaction
      .updateTable("rooms")
      .set({ active_at: saidAt })
      .where("id", "=", roomId)
      .where("active_at", "<", saidAt)
      .execute()
  }

  async function rowsOf(transaction: Database, roomId: string, ids: readonly string[]): Promise<Row[]> {
    if (ids.length === 0) return []
    const rows = await transaction
      .selectFrom("message_index")
      .select(["id", "seq", "author_id", "author_name", "at", "text", "is_deleted"])
      .select(["deleted_by", "reply_author"])
      .where("room_id", "=", roomId)
      .where("id", "in", ids)
      .execute()
    return rows.map((row) => ({ ...row, seq: Number(row.seq), at: Number(row.at), mentions: [] }))
  }

  async function write(
    transaction: Transaction<Tables>,
    roomId: string,
    rows: readonly Row[],
  ): Promise<void> {
    if (rows.length === 0) return
    await transaction
      .insertInto("message_index")
      .values(
        rows.map(({ mentions: _, ...row }) => ({
          ...row,
          room_id: roomId,
          words: row.is_deleted ? null : wordsOf(roomId, row.text, isPostgres),
        })),
      )
      .onConflict((conflict) =>
        conflict.columns(["room_id", "id"]).doUpdateSet(({ ref }) => ({
          text: ref("excluded.text"),
          is_deleted: ref("excluded.is_deleted"),
          deleted_by: ref("excluded.deleted_by"),
          words: ref("excluded.words"),
        })),
      )
      .execute()
    await transaction
      .deleteFrom("message_mentions")
      .where("room_id", "=", roomId)
      .where(
        "seq",
        "in",
        rows.map(({ seq }) => seq),
      )
      .execute()
    const mentions = rows.flatMap(({ seq, author_id, mentions }) =>
      [...new Set(mentions)]
        .filter((userId) => userId !== author_id)
        .map((user_id) => ({ user_id, room_id: roomId, seq })),
    )
    for (let from = 0; from < mentions.length; from += rowsPerInsert) {
      await transaction
        .insertInto("message_mentions")
        .values(mentions.slice(from, from + rowsPerInsert))
        .execute()
    }
  }

  const catchUpOnce = (roomIds: readonly string[]) => share(roomIds.join(" "), () => catchUp(roomIds))

  return {
    catchUp: catchUpOnce,
    async find(roomId, id) {
      const row = await database
        .selectFrom("message_index")
        .select(["seq", "author_id", "is_deleted"])
        .where("room_id", "=", roomId)
        .where("id", "=", id)
        .executeTakeFirst()
      return row
        ? { seq: Number(row.seq), authorId: row.author_id, isDeleted: Number(row.is_deleted) === 1 }
        : null
    },
    async quote(roomId, ids) {
      if (ids.length === 0) return []
      await catchUpOnce([roomId])
      const rows = await rowsOf(database, roomId, ids.map(toKept))
      return rows.map(({ id, author_id, author_name, text, is_deleted }) => ({
        ...{ id, from: { id: author_id, name: author_name }, text },
        isDeleted: Number(is_deleted) === 1,
      }))
    },
    async deletedBy(userId) {
      const rows = await database
        .selectFrom("message_index")
        .select(["room_id", "id"])
        .where("deleted_by", "=", userId)
        .where("author_id", "!=", userId)
        .execute()
      return rows.map(({ room_id, id }) => ({ roomId: room_id, id }))
    },
  }
}

/**
 * Takes what a person wrote out of the index, after it was taken out of the log. Whoever read the log before that finds the cursors
 * changed, and reads again.
 */
export async function forgetMessages(transaction: Transaction<Tables>, userId: string): Promise<void> {
  await transaction.updateTable("message_index_cursors").set({ version: sql<number>`version + 1` }).execute()
  await transaction
    .deleteFrom("message_mentions")
    .where(({ eb, or, exists, selectFrom }) =>
      or([
        eb("user_id", "=", userId),
        exists(
          selectFrom("message_index")
            .select("id")
            .whereRef("message_index.room_id", "=", "message_mentions.room_id")
            .whereRef("message_index.seq", "=", "message_mentions.seq")
            .where("author_id", "=", userId),
        ),
      ]),
    )
    .execute()
  await transaction.deleteFrom("message_index").where("author_id", "=", userId).execute()
  for (const column of ["deleted_by", "reply_author"] as const)
    await transaction
      .updateTable("message_index")
      .set({ [column]: null })
      .where(column, "=", userId)
      .execute()
}

/** Whoever reads the room's log into the index waits from here on, and finds that what they have read is old. */
export async function holdRoomMessages(transaction: Transaction<Tables>, roomId: string): Promise<void> {
  const cursor = transaction.updateTable("message_index_cursors").set({ version: sql<number>`version + 1` })
  await cursor.where("room_id", "=", roomId).execute()
}

/** Takes a room out of the index. */
export async function forgetRoomMessages(transaction: Transaction<Tables>, roomId: string): Promise<void> {
  for (const table of ["message_index_cursors", "message_mentions", "message_index"] as const)
    await transaction.deleteFrom(table).where("room_id", "=", roomId).execute()
}

const toCursor = (row: Tables["message_index_cursors"]): Cursor => ({
  roomId: row.room_id,
  epoch: row.epoch,
  seq: Number(row.seq),
  mark: row.mark !== null && Number(row.mark_seq) === Number(row.seq) ? row.mark : undefined,
  first: Number(row.first),
  version: Number(row.version),
})

/** Where the index stands when it has read a page; where nothing follows, retention took what did. */
function placeAfter(messages: readonly RealtimeMessage[], head: LogHead): Pick<Cursor, "seq" | "mark"> {
  const last = messages.at(-1)
  return last ? { seq: last.seq, mark: markOf(last) } : { seq: head.seq, mark: head.mark }
}

/** Not so after the log was replaced, or put back to an earlier state under its old name. */
const isSameLife = (cursor: Cursor, head: LogHead): boolean =>
  cursor.epoch === head.epoch && cursor.seq <= head.seq

/** The index has to begin anew: what it has read isn't what the log holds there. */
const isRestart = (cursor: Cursor, { head, mark }: LogPage): boolean =>
  !isSameLife(cursor, head) || areOfDifferentMessages(mark, cursor.mark)

const isCurrent = (cursor: Cursor, head: LogHead): boolean =>
  cursor.epoch === head.epoch &&
  cursor.seq === head.seq &&
  cursor.first === head.first &&
  !areOfDifferentMessages(cursor.mark, head.mark)

const lagOf = ({ cursor, head }: { cursor: Cursor; head: LogHead }): number =>
  isSameLife(cursor, head) ? head.seq - cursor.seq : head.seq

/** What no database keeps, a log may hold: its payloads are JSON, where everything can be written. */
const toKept = (text: string): string => text.toWellFormed().replaceAll("\0", "\ufffd")

type Payload = Record<string, unknown>

// A log holds what earlier and later releases wrote: of a payload only what is understood is taken.
const payloadOf = ({ payload }: RealtimeMessage): Payload =>
  typeof payload === "object" && payload !== null ? (payload as Payload) : {}
const textOf = (value: unknown): string => (typeof value === "string" ? toKept(value) : "")
const mentionsOf = ({ mentions }: Payload): string[] =>
  Array.isArray(mentions) ? mentions.map(textOf).filter((id) => id !== "") : []

function targetsOf(message: RealtimeMessage): string[] {
  const { target, replyTo } = payloadOf(message)
  const answered = (replyTo as Payload | undefined)?.id
  return [target, answered].filter((id) => typeof id === "string").map(toKept)
}

/** The row that an entry of the log makes or changes; what it means is said in `conversation.ts`, for the pages. */
function foldOne(rows: Map<string, Row>, message: RealtimeMessage): Row | null {
  const payload = payloadOf(message)
  const { id, seq, at } = message
  const by = message.from && { id: toKept(message.from.id), name: textOf(message.from.name) }
  if (message.event === "text-sent") {
    const answered = textOf((payload.replyTo as Payload | undefined)?.id)
    const reply_author = rows.get(answered)?.author_id || null
    const row: Row = {
      ...{ id, seq, at, reply_author, text: textOf(payload.text), is_deleted: 0, deleted_by: null },
      ...{ author_id: by?.id ?? "", author_name: by?.name ?? "" },
      mentions: [...mentionsOf(payload), ...(reply_author ? [reply_author] : [])],
    }
    rows.set(id, row)
    return row
  }
  const row = rows.get(textOf(payload.target))
  if (!row || row.is_deleted === 1) return null
  if (message.event === "message-edited") {
    if (by?.id !== row.author_id) return null
    row.text = textOf(payload.text)
    row.mentions = [...mentionsOf(payload), ...(row.reply_author ? [row.reply_author] : [])]
    return row
  }
  if (message.event !== "message-deleted") return null
  Object.assign(row, { text: "", is_deleted: 1, deleted_by: by?.id ?? null, mentions: [] })
  return row
}
