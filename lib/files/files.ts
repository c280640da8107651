import { create as contentDisposition } from "content-disposition"
import { logError, type OnError, RealtimeError, type User } from "throughline"
import type { MessageLog } from "throughline/server"
import { room, type SharedFile } from "../chat/channels.ts"
import type { Rooms } from "../chat/rooms.ts"
import { createSparing } from "../operations/sparing.ts"
import type { Limits } from "../security/limits.ts"
import { type Download, type FileStore, keyOf } from "./file-store.ts"
import { type FileRegister, type RegisteredFile, toSharedFile } from "./register.ts"
import {
  cleanFileName,
  FileError,
  fileUrl,
  maxFileBytes,
  maxThumbnailBytes,
  pictureTypes,
  thumbnailUrl,
  type UploadTarget,
  type UploadTicket,
  uploadType,
} from "./rules.ts"

export type FilePart = "file" | "thumbnail"

export interface Announcement {
  roomId: string
  name: string
  size: number
  /** In bytes; 0: there is none. */
  thumbnailSize: number
}

export interface ServedFile {
  /** Names these bytes for ever: a file never changes. */
  tag: string
  type: string
  disposition: string
  download: Download
}

/** What people attach: announced, sent, looked at, attached to a message, read by its room. Every call is in somebody's name. */
export interface Files {
  /** Begins an upload: where its bytes go. */
  announce(user: User, announcement: Announcement): Promise<UploadTicket>
  /** Takes bytes that come through the app. */
  receive(user: User, id: string, part: FilePart, body: ReadableStream<Uint8Array>): Promise<void>
  /** Ends an upload: the file as it was found to be. May be repeated. */
  complete(user: User, id: string): Promise<SharedFile>
  /** Takes back what wasn't sent. */
  discard(user: User, id: string): Promise<void>
  /** To read it. What isn't theirs to see looks like what isn't there. */
  open(user: User, id: string, options: { part: FilePart; isDownload: boolean }): Promise<ServedFile>
  /** Takes everything of a person away; resolves with how many files. Rejects, once all others are gone, where some can't be removed. */
  forget(userId: string): Promise<number>
  /** Removes what was never sent, and what is in messages that were deleted or that the log no longer keeps. Rejects as `forget` does. */
  clear(log: Pick<MessageLog, "heads" | "readAfter">): Promise<number>
}

export interface FilesOptions {
  register: FileRegister
  /** Null: there is nowhere to keep files. */
  store: (() => Promise<FileStore>) | null
  rooms: Pick<Rooms, "isMember">
  limits: Pick<Limits, "takeOf">
  now?: () => number
  onError?: OnError
}

const hourMs = 60 * 60_000
/** Longer than an upload may take. */
const declaredForMs = 24 * hourMs
/** A message that was written offline goes out when its writer is back; its files wait for it. */
const uploadedForMs = 7 * 24 * hourMs
/** A file is attached a moment before its message is in the log, by another clock perhaps. */
const attachedBeforeMs = hourMs
/** So many are removed at once; beside an upload no more: whoever adds something clears away a little of what was left. */
const removedAtOnce = 10

export function createFiles(options: FilesOptions): Files {
  const { register, store, rooms, limits, now = Date.now, onError = logError } = options

  /** Each upload tries again. */
  const isNews = createSparing(1, 60 * 60)

  async function openStore(): Promise<FileStore> {
    if (store) return store()
    throw new FileError("files-off", "unable to keep files; there is no store that lasts")
  }

  async function requireOwn(user: User, id: string): Promise<RegisteredFile> {
    const file = await register.find(id)
    if (file?.uploaderId === user.id) return file
    throw missing()
  }

  async function targetOf(
    opened: FileStore,
    id: string,
    part: FilePart,
    size: number,
  ): Promise<UploadTarget> {
    if ("presign" in opened.incoming) return opened.incoming.presign(keyOf(id, part), size)
    return { url: part === "file" ? fileUrl(id) : thumbnailUrl(id), headers: { "Content-Type": uploadType } }
  }

  /** Removes the bytes of what is doomed. One that fails stays doomed, and is tried again after all others. */
  async function removeDoomed(): Promise<{ removed: number; failures: Map<string, unknown> }> {
    const failures = new Map<string, unknown>()
    const ids = await register.doomed(removedAtOnce)
    if (ids.length === 0) return { removed: 0, failures }
    const opened = await openStore()
    const remove = async (id: string) => {
      for (const part of ["file", "thumbnail"] as const) await opened.remove(keyOf(id, part))
      await register.remove([id])
    }
    const putOff = async (id: string, failure: unknown) => {
      failures.set(id, failure)
      await register.putOff(id)
    }
    await Promise.all(ids.map((id) => remove(id).catch((failure: unknown) => putOff(id, failure))))
    return { removed: ids.length - failures.size, failures }
  }

  /** Rejects, once all others are removed, where some can't be. */
  async function removeAllDoomed(): Promise<number> {
    const failed = new Map<string, unknown>()
    let total = 0
    for (;;) {
      const { removed, failures } = await removeDoomed()
      const known = failed.size
      for (const [id, failure] of failures) failed.set(id, failure)
      total += removed
      if (removed === 0 && failed.size === known) break
    }
    if (failed.size === 0) return total
    const reasons = new Map([...failed.values()].map((failure) => [reasonOf(failure), failure]))
    const message = `unable to remove ${failed.size} files (${[...reasons.keys()].join(", ")}), which are tried again later; ${total} were removed`
    throw new AggregateError(reasons.values(), message)
  }

  const doomForgotten = () =>
    register.doom({ declaredBefore: now() - declaredForMs, uploadedBefore: now() - uploadedForMs })

  /** Nobody's upload fails by what others left: it is tried again beside the next one. */
  async function clearBeside(): Promise<void> {
    const { failures } = await removeDoomed().catch((failure: unknown) => ({
      failures: new Map([["", failure]]),
    }))
    for (const failure of failures.values())
      if (await isNews(reasonOf(failure)))
        onError(failure, { stage: "remove files that are nobody's any more" })
  }

  async function refuse(file: RegisteredFile, error: FileError): Promise<never> {
    await register.doom({ id: file.id, uploaderId: file.uploaderId })
    throw error
  }

  return {
    async announce(user, { roomId, name, size, thumbnailSize }) {
      const opened = await openStore()
      if (!(await rooms.isMember(user.id, roomId)))
        throw new RealtimeError("channel-denied", { message: "unable to attach; the user isn't in the room" })
      if (size === 0) throw new FileError("file-empty", "unable to attach a file without content")
      if (size > maxFileBytes || thumbnailSize > maxThumbnailBytes)
        throw new FileError("file-too-large", `unable to attach more than ${maxFileBytes} bytes`)
      await limits.takeOf("uploads", user.id)
      await limits.takeOf("kilobytes", user.id, Math.ceil((size + thumbnailSize) / 1024))
      await doomForgotten()
      await clearBeside()
      const declared = { roomId, uploaderId: user.id, name: cleanFileName(name), size, thumbnailSize }
      const id = await register.declare(declared)
      return {
        id,
        file: await targetOf(opened, id, "file", size),
        thumbnail: thumbnailSize > 0 ? await targetOf(opened, id, "thumbnail", thumbnailSize) : null,
      }
    },

    async receive(user, id, part, body) {
      const { incoming } = await openStore()
      await limits.takeOf("uploads", user.id)
      const file = await requireOwn(user, id)
      const size = part === "file" ? file.size : file.thumbnailSize
      if (file.state !== "declared" || size === 0 || !("receive" in incoming)) throw missing()
      await incoming.receive(keyOf(id, part), body, size)
    },

    async complete(user, id) {
      const opened = await openStore()
      await limits.takeOf("uploads", user.id)
      const file = await requireOwn(user, id)
      if (file.state !== "declared") return toSharedFile(file)
      const key = keyOf(id, "file")
      const size = await opened.settle(key)
      if (size === null) throw new FileError("upload-incomplete", "unable to attach; the file hasn't come")
      if (size !== file.size)
        return refuse(
          file,
          new FileError("upload-incomplete", "unable to attach; the size isn't the announced one"),
        )
      // What looks into bytes is loaded for uploads alone.
      const { isThumbnail, recognize, recognizedBytes } = await import("./recognize.ts")
      const start = await opened.readStart(key, recognizedBytes)
      const found = await recognize(start, file.name).catch((error: unknown) => {
        if (error instanceof FileError) return refuse(file, error)
        throw error
      })
      let { thumbnailSize } = file
      if (thumbnailSize > 0) {
        const preview = keyOf(id, "thumbnail")
        const isWhole = (await opened.settle(preview)) === thumbnailSize
        // A picture without its preview is a picture.
        if (
          !isWhole ||
          !found.width ||
          !(await isThumbnail(await opened.readStart(preview, thumbnailSize)))
        ) {
          await opened.remove(preview)
          thumbnailSize = 0
        }
      }
      const settled = await register.settle(id, {
        ...found,
        name: withExtension(file.name, found.type),
        thumbnailSize,
      })
      if (!settled) throw missing()
      return toSharedFile(settled)
    },

    async discard(user, id) {
      await limits.takeOf("uploads", user.id)
      await register.doom({ id, uploaderId: user.id })
      await clearBeside()
    },

    async open(user, id, { part, isDownload }) {
      const opened = await openStore()
      const file = await register.find(id)
      const isTheirs =
        file?.state === "attached" || (file?.state === "uploaded" && file.uploaderId === user.id)
      if (!file || !isTheirs || !(await rooms.isMember(user.id, file.roomId))) throw missing()
      if (part === "thumbnail" && file.thumbnailSize === 0) throw missing()
      const isShown = file.width !== null && !isDownload
      const as =
        part === "thumbnail"
          ? // Which of the three it is, browsers see by its bytes.
            { type: "image/webp", disposition: "inline" }
          : {
              type: file.type,
              disposition: contentDisposition(file.name, { type: isShown ? "inline" : "attachment" }),
            }
      const download = await opened.open(keyOf(id, part), as)
      if (!download) throw missing()
      return { tag: keyOf(id, part), ...as, download }
    },

    async forget(userId) {
      await register.doom({ uploaderId: userId })
      return removeAllDoomed()
    },

    async clear(log) {
      if (!store) return 0
      await doomForgotten()
      const roomIds = await register.rooms()
      const heads = await log.heads(roomIds.map(channelOf))
      for (const [index, roomId] of roomIds.entries()) {
        if ((heads[index]?.first ?? 1) <= 1) continue
        // The oldest that the log still has, where it has removed older ones.
        const { messages } = await log.readAfter(channelOf(roomId), 0, 1)
        await register.doom({ roomId, before: (messages[0]?.at ?? now()) - attachedBeforeMs })
      }
      await (await openStore()).sweep(now() - declaredForMs)
      return removeAllDoomed()
    },
  }
}

/** Without what is this file's alone, as its path. */
function reasonOf(failure: unknown): string {
  if (!(failure instanceof Error)) return String(failure)
  return "code" in failure ? String(failure.code) : failure.name
}

const channelOf = (roomId: string): string => room({ room: roomId }).name

const missing = () => new FileError("file-missing", "unable to find the file")

/** A picture is saved as one, whatever it was called: some bytes are a picture and a page at once. */
function withExtension(name: string, type: string): string {
  if (!pictureTypes.has(type) || /\.(a?png|jpe?g|gif|webp|avif)$/i.test(name)) return name
  return cleanFileName(`${name}.${type.replace("image/", "").replace("jpeg", "jpg")}`)
}
