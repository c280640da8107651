import { toWellFormed } from "throughline"
import { disturbing, visibleText } from "../chat/visible-text.ts"

/** What may be attached: asked in the browser before anything is sent, and on the server of what came. */
export const maxFileBytes = 25 * 1024 * 1024

/** Of a picture's preview, which the browser makes: neither side is longer. */
export const maxThumbnailSide = 640
export const maxThumbnailBytes = 512 * 1024

/** A picture of more than this is a file to download: decoding it would cost every reader gigabytes. */
export const maxImagePixels = 64_000_000

export const maxFileNameLength = 200

/** What browsers show as a picture, and nothing in which script could hide. */
export const pictureTypes: ReadonlySet<string> = new Set([
  ...["image/png", "image/apng", "image/jpeg", "image/gif", "image/webp", "image/avif"],
])

/** What a name says that it is, where the bytes can tell whether that is so. */
const claims = [
  { name: /\.(a?png|jpe?g|gif|webp|avif)$/i, type: /^image\// },
  { name: /\.pdf$/i, type: /^application\/pdf$/ },
] as const

export const isFalseName = (name: string, type: string): boolean =>
  claims.some((claim) => claim.name.test(name) && !claim.type.test(type))

/** A name that can stand on a page and in any file system; none whose direction turns, so that an `.exe` reads as a `.jpg`. */
export function cleanFileName(given: string): string {
  const name = visibleText(
    toWellFormed(given).normalize("NFC").replace(disturbing, "").replace(/[/\\]/g, "_"),
  )
  if (name === "") return "file"
  if (name.length <= maxFileNameLength) return name
  const [extension = ""] = /\.[^.]{1,16}$/.exec(name) ?? []
  const start = name.slice(0, maxFileNameLength - extension.length)
  // Half of a pair of surrogates may be left at the end.
  return start.replace(/[\ud800-\udbff]$/, "") + extension
}

/** Why a file isn't taken. The interface has words for each. */
export const fileErrorCodes = [
  "file-empty",
  "file-missing",
  "file-too-large",
  "files-off",
  "type-false",
  "type-refused",
  "upload-incomplete",
] as const

export type FileErrorCode = (typeof fileErrorCodes)[number]

export class FileError extends Error {
  readonly code: FileErrorCode

  constructor(code: FileErrorCode, message: string, cause?: unknown) {
    super(`[files] ${message}`, cause === undefined ? undefined : { cause })
    this.name = "FileError"
    this.code = code
  }
}

/** Where a browser sends a file's bytes: a `PUT` with these headers. */
export interface UploadTarget {
  url: string
  headers: Record<string, string>
}

/** What the server answers to whoever announces a file. */
export interface UploadTicket {
  id: string
  file: UploadTarget
  thumbnail: UploadTarget | null
}

export const uploadType = "application/octet-stream"

export const fileUrl = (id: string) => `/api/chat/files/${id}`
export const thumbnailUrl = (id: string) => `${fileUrl(id)}/thumbnail`
