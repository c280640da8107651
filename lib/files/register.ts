import type { Expression, ExpressionBuilder, SqlBool, Transaction } from "kysely"
import { v7 as uuidv7 } from "uuid"
import type { SharedFile } from "../chat/channels.ts"
import type { Database, Tables } from "../chat/database.ts"
import type { Recognized } from "./recognize.ts"

/**
 * `declared`: announced, its bytes are on their way. `uploaded`: here and looked at, seen by its uploader alone. `attached`: in a
 * message, seen by the room. `doomed`: nobody's any more; its bytes are to be removed.
 */
export type FileState = "declared" | "uploaded" | "attached" | "doomed"

export interface RegisteredFile {
  id: string
  roomId: string
  uploaderId: string
  state: FileState
  name: string
  size: number
  type: string
  width: number | null
  height: number | null
  /** In bytes; 0: there is none. */
  thumbnailSize: number
}

export interface Claim {
  userId: string
  roomId: string
  /** In which the files are; a repeat of the same message may claim them again. */
  messageId: string
  files: readonly SharedFile[]
}

/** Of all files: whose they are, in which room and message. What it says was found by the server, never claimed by a browser. */
export interface FileRegister {
  declare(
    file: Pick<RegisteredFile, "roomId" | "uploaderId" | "name" | "size" | "thumbnailSize">,
  ): Promise<string>
  /** Null also once its message was deleted. */
  find(id: string): Promise<RegisteredFile | null>
  /** Notes what a declared file turned out to be. */
  settle(
    id: string,
    found: Recognized & Pick<RegisteredFile, "name" | "thumbnailSize">,
  ): Promise<RegisteredFile | null>
  /** Attaches files to a message, if all were uploaded by this person for this room, are what they say, and are in no other message. */
  claim(claim: Claim): Promise<boolean>
  /** Dooms what a person announced or uploaded and didn't send; one file, or all that was forgotten since. */
  doom(which: Doomed): Promise<void>
  /** Some that are doomed, by when that was or when they were last put off. */
  doomed(limit: number): Promise<string[]>
  /** The bytes of this one can't be removed now: others are first. */
  putOff(id: string): Promise<void>
  /** Once their bytes are gone. */
  remove(ids: readonly string[]): Promise<void>
  /** Rooms that have attached files. */
  rooms(): Promise<string[]>
}

export type Doomed =
  /** One that isn't attached. */
  | { id: string; uploaderId: string }
  | { uploaderId: string }
  /** Attached in a room before this moment. */
  | { roomId: string; before: number }
  /** Announced or uploaded before these moments and never sent; also what is in a message that was deleted. */
  | { declaredBefore: number; uploadedBefore: number }

type Where = ExpressionBuilder<Tables, "files">

/** Dooms all files of a room, in whatever state they are. */
export async function doomFilesOf(
  transaction: Transaction<Tables>,
  roomId: string,
  at: number,
): Promise<void> {
  const doomed = transaction.updateTable("files").set({ state: "doomed", at })
  await doomed.where("room_id", "=", roomId).where("state", "!=", "doomed").execute()
}

export function createFileRegister(database: Database, now: () => number = Date.now): FileRegister {
  async function find(id: string): Promise<RegisteredFile | null> {
    const row = await database
      .selectFrom("files")
      .leftJoin("message_index", (join) =>
        join
          .onRef("message_index.room_id", "=", "files.room_id")
          .onRef("message_index.id", "=", "files.message_id"),
      )
      .select([
        "files.id",
        "files.room_id",
        "uploader_id",
        "state",
        "name",
        "size",
        "type",
        "width",
        "height",
      ])
      .select("thumbnail_size")
      .where("files.id", "=", id)
      .where("state", "!=", "doomed")
      .where((where) => where.or([where("is_deleted", "is", null), where("is_deleted", "=", 0)]))
      .executeTakeFirst()
    if (!row) return null
    return {
      ...{ id: row.id, roomId: row.room_id, uploaderId: row.uploader_id, state: row.state as FileState },
      ...{ name: row.name, size: Number(row.size), type: row.type, width: row.width, height: row.height },
      thumbnailSize: row.thumbnail_size,
    }
  }

  async function doomWhere(which: (builder: Where) => Expression<SqlBool>): Promise<void> {
    await database
      .updateTable("files")
      .set({ state: "doomed", at: now() })
      .where("state", "!=", "doomed")
      .where(which)
      .execute()
  }

  return {
    find,
    async declare({ roomId, uploaderId, name, size, thumbnailSize }) {
      const id = uuidv7()
      await database
        .insertInto("files")
        .values({
          ...{ id, room_id: roomId, uploader_id: uploaderId, message_id: null, state: "declared", at: now() },
          ...{ name, size, type: "", width: null, height: null, thumbnail_size: thumbnailSize },
        })
        .execute()
      return id
    },
    async settle(id, { type, width = null, height = null, name, thumbnailSize }) {
      await database
        .updateTable("files")
        .set({ state: "uploaded", at: now(), type, width, height, name, thumbnail_size: thumbnailSize })
        .where("id", "=", id)
        .where("state", "=", "declared")
        .execute()
      return find(id)
    },
    async claim({ userId, roomId, messageId, files }) {
      const ids = [...new Set(files.map(({ id }) => id))]
      if (ids.length < files.length) return false
      const known = await Promise.all(ids.map(find))
      if (!files.every((file, index) => isAsRegistered(file, known[index]))) return false
      const { numUpdatedRows } = await database
        .updateTable("files")
        .set({ state: "attached", message_id: messageId, at: now() })
        .where("id", "in", ids)
        .where("uploader_id", "=", userId)
        .where("room_id", "=", roomId)
        .where((where) => where.or([where("state", "=", "uploaded"), where("message_id", "=", messageId)]))
        .where("state", "in", ["uploaded", "attached"])
        .executeTakeFirst()
      return Number(numUpdatedRows) === ids.length
    },
    async doom(which) {
      if ("id" in which)
        return doomWhere(({ eb, and }) =>
          and([
            eb("id", "=", which.id),
            eb("uploader_id", "=", which.uploaderId),
            eb("state", "!=", "attached"),
          ]),
        )
      if ("uploaderId" in which) return doomWhere(({ eb }) => eb("uploader_id", "=", which.uploaderId))
      if ("roomId" in which)
        return doomWhere(({ eb, and }) =>
          and([eb("room_id", "=", which.roomId), eb("state", "=", "attached"), eb("at", "<", which.before)]),
        )
      for (const [state, before] of [
        ["declared", which.declaredBefore],
        ["uploaded", which.uploadedBefore],
      ] as const)
        await doomWhere(({ eb, and }) => and([eb("state", "=", state), eb("at", "<", before)]))
      await doomWhere(({ eb, selectFrom }) =>
        eb(
          "id",
          "in",
          selectFrom("message_index")
            .innerJoin("files as theirs", (join) =>
              join
                .onRef("theirs.room_id", "=", "message_index.room_id")
                .onRef("theirs.message_id", "=", "message_index.id"),
            )
            .select("theirs.id")
            .where("is_deleted", "=", 1),
        ),
      )
    },
    async doomed(limit) {
      const rows = await database
        .selectFrom("files")
        .select("id")
        .where("state", "=", "doomed")
        .orderBy("at")
        .orderBy("id")
        .limit(limit)
        .execute()
      return rows.map(({ id }) => id)
    },
    async putOff(id) {
      const late = database.updateTable("files").set({ at: now() })
      await late.where("id", "=", id).where("state", "=", "doomed").execute()
    },
    async remove(ids) {
      if (ids.length === 0) return
      await database.deleteFrom("files").where("id", "in", ids).where("state", "=", "doomed").execute()
    },
    async rooms() {
      const rows = await database
        .selectFrom("files")
        .select("room_id")
        .distinct()
        .where("state", "=", "attached")
        .execute()
      return rows.map(({ room_id }) => room_id)
    },
  }
}

/** What a message says of a file is what readers are shown before they ask for it: it has to be what the server found. */
function isAsRegistered(file: SharedFile, known: RegisteredFile | null | undefined): boolean {
  return known != null && JSON.stringify(toSharedFile(known)) === JSON.stringify(inOrder(file))
}

export function toSharedFile({
  id,
  name,
  type,
  size,
  width,
  height,
  thumbnailSize,
}: RegisteredFile): SharedFile {
  return inOrder({
    ...{ id, name, type, size },
    ...(width !== null && { width }),
    ...(height !== null && { height }),
    hasThumbnail: thumbnailSize > 0,
  })
}

const inOrder = ({ id, name, type, size, width, height, hasThumbnail }: SharedFile): SharedFile => ({
  ...{ id, name, type, size },
  ...(width !== undefined && { width }),
  ...(height !== undefined && { height }),
  ...(hasThumbnail && { hasThumbnail }),
})
