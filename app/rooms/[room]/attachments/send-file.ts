import { ownerHeaders, withinLimit } from "throughline"
import type { SharedFile } from "#lib/chat/channels.ts"
import {
  type FileErrorCode,
  fileErrorCodes,
  fileUrl,
  maxFileBytes,
  type UploadTarget,
  type UploadTicket,
} from "#lib/files/rules.ts"
import { makeThumbnail } from "./make-thumbnail.ts"
import { removeMetadata } from "./remove-metadata.ts"

const commonCodes = [
  "channel-denied",
  "internal",
  "not-connected",
  "rate-limited",
  "session-changed",
  "unauthorized",
] as const

type AnsweredCode = FileErrorCode | (typeof commonCodes)[number]

export type UploadErrorCode =
  | AnsweredCode
  /** It is of an earlier page, or of the tab that this one is a copy of, and the browser doesn't have it any more. */
  | "file-lost"

/** Why a file didn't arrive; the interface has words for each code. */
export class UploadError extends Error {
  readonly code: UploadErrorCode

  constructor(code: UploadErrorCode, cause?: unknown) {
    super(`[files] unable to upload; ${code}`, cause === undefined ? undefined : { cause })
    this.name = "UploadError"
    this.code = code
  }
}

const previewMs = 10_000

export interface SendFileOptions {
  /** Whose page it is. */
  owner: string
  roomId: string
  signal: AbortSignal
  /** From 0 to 1, of what has left this browser. */
  onProgress(progress: number): void
  /** After so long without a byte that leaves, or an answer, it has failed. Default a minute. */
  patienceMs?: number
}

/**
 * Browser: announces a file, sends its bytes where the server says (to the app, or to a store), and has it looked at. What a picture says
 * about its making stays here. Resolves with what the server found it to be. Rejects with an `UploadError`, or with the signal's reason.
 */
export async function sendFile(
  given: File,
  { owner, roomId, signal, onProgress, patienceMs = 60_000 }: SendFileOptions,
): Promise<SharedFile> {
  if (given.size === 0) throw new UploadError("file-empty")
  if (given.size > maxFileBytes) throw new UploadError("file-too-large")
  // Whoever shows a picture doesn't mean to say where they live.
  const file = await removeMetadata(given).catch((cause: unknown) => {
    // A folder, or a file that has gone meanwhile.
    throw new UploadError("file-empty", cause)
  })
  // Where the browser doesn't make a preview, or never says that it can't, the picture goes without one.
  const thumbnail = await withinLimit(previewMs, "make a preview", () => makeThumbnail(file), signal).catch(
    () => null,
  )
  const announcement = {
    ...{ room: roomId, name: file.name, size: file.size },
    thumbnailSize: thumbnail?.size ?? 0,
  }
  const ask = askAs(owner, signal, patienceMs)
  const ticket = (await ask("/api/chat/files", announcement)) as UploadTicket
  if (thumbnail && ticket.thumbnail) await put(ticket.thumbnail, thumbnail, { signal, patienceMs })
  await put(ticket.file, file, { signal, patienceMs, onProgress })
  const answer = (await ask(fileUrl(ticket.id), {})) as { file: SharedFile }
  return answer.file
}

/** Browser: takes back a file that wasn't sent. One that stays is removed by the server in time. */
export function discardFile(id: string): void {
  fetch(fileUrl(id), { method: "DELETE", keepalive: true }).catch(() => {})
}

const askAs = (owner: string, outer: AbortSignal, patienceMs: number) =>
  async function ask(path: string, body: object): Promise<unknown> {
    async function send(signal: AbortSignal) {
      const response = await fetch(path, {
        method: "POST",
        headers: { "Content-Type": "application/json", ...ownerHeaders(owner) },
        body: JSON.stringify(body),
        signal,
      })
      return { isDone: response.ok, text: await response.text() }
    }
    const { isDone, text } = await withinLimit(patienceMs, `reach ${path}`, send, outer).catch(
      (cause: unknown) => {
        throw outer.aborted ? outer.reason : new UploadError("not-connected", cause)
      },
    )
    if (isDone) return JSON.parse(text)
    throw new UploadError(codeOf(text))
  }

function codeOf(answer: string): AnsweredCode {
  try {
    const { code } = (JSON.parse(answer) as { error: { code: AnsweredCode } }).error
    return [...fileErrorCodes, ...commonCodes].includes(code) ? code : "internal"
  } catch {
    // Not ours: a proxy's, or a store's.
    return "internal"
  }
}

/** `fetch` doesn't tell how much of a body has left. */
function put(
  { url, headers }: UploadTarget,
  body: Blob,
  {
    signal,
    patienceMs,
    onProgress,
  }: { signal: AbortSignal; patienceMs: number; onProgress?: SendFileOptions["onProgress"] },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    const abort = () => request.abort()
    let patience: ReturnType<typeof setTimeout>
    function wait(): void {
      clearTimeout(patience)
      patience = setTimeout(() => {
        reject(new UploadError("not-connected"))
        abort()
      }, patienceMs)
    }
    request.upload.onprogress = ({ loaded, total }) => {
      wait()
      onProgress?.(total > 0 ? loaded / total : 0)
    }
    request.onload = () => {
      if (request.status >= 200 && request.status < 300) return resolve()
      const code = codeOf(request.responseText)
      // A store of another kind says no because the address is too old, or because other bytes came than were announced.
      reject(new UploadError(code === "internal" && request.status < 500 ? "upload-incomplete" : code))
    }
    request.onerror = () => reject(new UploadError("not-connected"))
    request.onabort = () => reject(signal.reason)
    request.onloadend = () => {
      clearTimeout(patience)
      signal.removeEventListener("abort", abort)
    }
    if (signal.aborted) return reject(signal.reason)
    signal.addEventListener("abort", abort)
    request.open("PUT", url)
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value)
    request.send(body)
    wait()
  })
}
