import { logError, type OnError, RealtimeError, type User } from "throughline"
import { readJsonBody, reportFailure, requireSession, statusOf, toWireError } from "throughline/server"
import * as z from "zod/mini"
import { contextOf, withRequest } from "../operations/request-context.ts"
import type { Limits } from "../security/limits.ts"
import type { ByteRange } from "./file-store.ts"
import type { FilePart, Files, ServedFile } from "./files.ts"
import { FileError, type FileErrorCode, uploadType } from "./rules.ts"

type Handler = (request: Request, id: string, part: FilePart) => Promise<Response>

/** What `app/api/chat/files/` answers. */
export interface FileHandlers {
  /** Takes `{ room, name, size, thumbnailSize }`; answers an `UploadTicket`. */
  announce(request: Request): Promise<Response>
  receive: Handler
  /** Answers `{ file }`. */
  complete: Handler
  discard: Handler
  serve: Handler
}

export interface FileHandlersOptions {
  files: Files
  identify(request: Request): Promise<User | null>
  limits: Pick<Limits, "takeOf">
  onError?: OnError
}

const announcementSchema = z.object({
  room: z.string().check(z.minLength(1), z.maxLength(128)),
  name: z.string().check(z.maxLength(1000)),
  size: z.int().check(z.nonnegative()),
  thumbnailSize: z.int().check(z.nonnegative()),
})

const statusByCode: Record<FileErrorCode, number> = {
  "file-empty": 422,
  "file-missing": 404,
  "file-too-large": 413,
  "files-off": 501,
  "type-false": 415,
  "type-refused": 415,
  "upload-incomplete": 409,
}

/** So long a browser may follow a redirect without asking again, whether it still may. */
const redirectSeconds = 60

export function createFileHandlers(options: FileHandlersOptions): FileHandlers {
  const { files, identify, limits, onError = logError } = options
  const respond = (status: number, body: unknown) =>
    Response.json(body, { status, headers: { "Cache-Control": "no-store" } })

  /** For whoever is signed in; failures as `{ error: { code, message } }`. */
  const answer = (request: Request, act: (user: User) => Promise<Response>): Promise<Response> =>
    withRequest(contextOf(request.headers), async () => {
      try {
        return await act(await requireSession(request, identify))
      } catch (error) {
        if (error instanceof FileError)
          return respond(statusByCode[error.code], { error: { code: error.code, message: error.message } })
        reportFailure(onError, error, { stage: `answer ${request.method} /api/chat/files` })
        return respond(statusOf(error), { error: toWireError(error) })
      }
    })

  return {
    announce: (request) =>
      answer(request, async (user) => {
        const parsed = announcementSchema.safeParse(await readJsonBody(request))
        if (!parsed.success) throw malformed()
        const { room: roomId, ...rest } = parsed.data
        return respond(200, await files.announce(user, { roomId, ...rest }))
      }),

    receive: (request, id, part) =>
      answer(request, async (user) => {
        // Another site can't send a PUT, nor this type, without asking first.
        if (request.headers.get("content-type") !== uploadType || !request.body) throw malformed()
        await files.receive(user, id, part, request.body)
        return respond(200, {})
      }),

    complete: (request, id) =>
      answer(request, async (user) => {
        await readJsonBody(request)
        return respond(200, { file: await files.complete(user, id) })
      }),

    discard: (request, id) =>
      answer(request, async (user) => {
        await files.discard(user, id)
        return respond(200, {})
      }),

    serve: (request, id, part) =>
      answer(request, async (user) => {
        await limits.takeOf("reads", user.id)
        const isDownload = new URL(request.url).searchParams.has("download")
        return toResponse(request, await files.open(user, id, { part, isDownload }))
      }),
  }
}

const malformed = () =>
  new RealtimeError("invalid-request", { message: "unable to answer; the request is malformed" })

/** Asked again each time, and answered in a word when the browser has it: who left the room gets it from no cache. */
function toResponse(request: Request, { tag, type, disposition, download }: ServedFile): Response {
  if ("url" in download) {
    const headers = { Location: download.url, "Cache-Control": `private, max-age=${redirectSeconds}` }
    return new Response(null, { status: 307, headers })
  }
  const { size, read } = download
  const etag = `"${tag}"`
  const headers = new Headers({
    "Cache-Control": "private, no-cache",
    ETag: etag,
    "Content-Type": type,
    "Content-Disposition": disposition,
    "X-Content-Type-Options": "nosniff",
    // Whatever it is, opened by itself it is a document without script, form or origin.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; sandbox",
    "Accept-Ranges": "bytes",
  })
  if (request.headers.get("if-none-match") === etag) return new Response(null, { status: 304, headers })
  const asked = request.headers.get("range")
  const ifRange = request.headers.get("if-range")
  const range = asked && (ifRange === null || ifRange === etag) ? rangeOf(asked, size) : null
  if (range === "outside") {
    headers.set("Content-Range", `bytes */${size}`)
    return new Response(null, { status: 416, headers })
  }
  headers.set("Content-Length", String(range ? range.end - range.start + 1 : size))
  if (range) headers.set("Content-Range", `bytes ${range.start}-${range.end}/${size}`)
  const body = request.method === "HEAD" ? null : range ? read(range) : read()
  return new Response(body, { status: range ? 206 : 200, headers })
}

/** One range of bytes, from either end. Several at once may be answered as if none was asked for. */
function rangeOf(asked: string, size: number): ByteRange | "outside" | null {
  const [, first = "", last = ""] = /^bytes=(\d*)-(\d*)$/.exec(asked) ?? []
  if (first === "" && last === "") return null
  const start = first === "" ? Math.max(0, size - Number(last)) : Number(first)
  const end = first === "" || last === "" ? size - 1 : Math.min(Number(last), size - 1)
  return start <= end ? { start, end } : "outside"
}
