import { createListeners, logError } from "throughline"
import { createMessageId } from "throughline/client"
import * as z from "zod/mini"
import { fileSchema, maxFilesPerMessage, type SharedFile } from "#lib/chat/channels.ts"
import { personalStorage } from "#lib/chat/personal-storage.ts"
import { fileUrl, maxFileBytes, pictureTypes, thumbnailUrl } from "#lib/files/rules.ts"
import { createKeeping, type OpenFiles } from "./keeping.ts"
import { discardFile, sendFile, UploadError, type UploadErrorCode } from "./send-file.ts"

/** A file that somebody is about to send. */
export interface Attachment {
  key: string
  name: string
  size: number
  /** Where a picture can be seen; null for other files. */
  preview: string | null
  state: "waiting" | "uploading" | "checking" | "ready" | "failed"
  /** From 0 to 1. */
  progress: number
  error: UploadErrorCode | null
  /** Once it is `ready`. */
  shared: SharedFile | null
}

export interface UploadsState {
  attachments: readonly Attachment[]
  /** More were added than a message takes. */
  isOverfull: boolean
}

/** What is attached to the message that somebody is writing in a room. It outlives the page's components. */
export interface Uploads {
  state(): UploadsState
  subscribe(listener: () => void): () => void
  add(files: readonly File[]): void
  remove(key: string): void
  retry(key: string): void
  /** Those that are ready, to be sent; they are gone from here then. */
  take(): SharedFile[]
  hideOverfull(): void
}

export interface UploadsOptions {
  /** Whose files these are. */
  owner: string
  roomId: string
  send?: typeof sendFile
  /** Where files lie that the server doesn't have yet. */
  openFiles?: OpenFiles | undefined
}

/** What the same file may get over when it is sent again. */
export const mayHelp: ReadonlySet<UploadErrorCode> = new Set([
  ...(["file-missing", "internal", "not-connected", "rate-limited", "upload-incomplete"] as const),
])

/** So many at once: a browser has six connections to a server, and messages shall go on meanwhile. */
const maxAtOnce = 2

export const noUploads: UploadsState = { attachments: [], isOverfull: false }

export function createUploads(options: UploadsOptions): Uploads {
  const { owner, roomId, send = sendFile, openFiles } = options
  /** Which files there are, of which the server has some, survives a reload. The bytes of the others lie elsewhere. */
  const storage = personalStorage(owner, "files")
  const listeners = createListeners(logError, "uploads.subscribe")
  const under = new Map<string, { file: File; controller: AbortController }>()
  let state: UploadsState = {
    ...noUploads,
    attachments: restore(storage.readJson(keptSchema.parse, roomId) ?? []),
  }
  let underWay = 0
  const keeping = createKeeping(owner, openFiles)

  function change(next: Partial<UploadsState>): void {
    state = { ...state, ...next }
    storage.write(toKept(state.attachments), roomId)
    listeners.tell()
  }

  function update(key: string, next: Partial<Attachment>): void {
    change({ attachments: state.attachments.map((each) => (each.key === key ? { ...each, ...next } : each)) })
  }

  const find = (key: string) => state.attachments.find((each) => each.key === key)

  function startNext(): void {
    const next = state.attachments.find((each) => each.state === "waiting" && under.has(each.key))
    if (!next || underWay >= maxAtOnce) return
    underWay += 1
    void upload(next.key).finally(() => {
      underWay -= 1
      startNext()
    })
    startNext()
  }

  async function upload(key: string): Promise<void> {
    const task = under.get(key)
    if (!task) return
    const { file, controller } = task
    update(key, { state: "uploading", progress: 0, error: null })
    try {
      const onProgress = (progress: number) =>
        update(key, { progress, state: progress === 1 ? "checking" : "uploading" })
      const shared = await send(file, { owner, roomId, signal: controller.signal, onProgress })
      // It was removed while the answer was on its way.
      if (!find(key)) return discardFile(shared.id)
      under.delete(key)
      update(key, { state: "ready", progress: 1, shared, name: shared.name })
      keeping.remove(key)
    } catch (error) {
      if (controller.signal.aborted) return
      if (!(error instanceof UploadError)) reportError(error)
      const code = error instanceof UploadError ? error.code : "internal"
      update(key, { state: "failed", error: code })
      if (!mayHelp.has(code)) keeping.remove(key)
    }
  }

  function retry(key: string): void {
    if (find(key)?.state !== "failed") return
    update(key, { state: "waiting", error: null })
    startNext()
  }

  /** Takes up what an earlier page was sending. */
  async function takeUp(key: string): Promise<void> {
    const file = await keeping.get(key)
    // It was removed meanwhile.
    if (!find(key)) return
    if (!file) return update(key, { state: "failed", error: "file-lost" })
    under.set(key, { file, controller: new AbortController() })
    update(key, { preview: previewOf(file) })
    startNext()
  }
  for (const { key, shared } of state.attachments) if (!shared) void takeUp(key)

  function goOn(): void {
    for (const { key, error } of state.attachments) if (error === "not-connected") retry(key)
  }
  globalThis.addEventListener?.("online", goOn)

  function forget({ key, preview }: Attachment): void {
    under.get(key)?.controller.abort()
    under.delete(key)
    if (preview?.startsWith("blob:")) URL.revokeObjectURL(preview)
  }

  /** What is too large isn't sent, and has no place in the browser either. */
  function begin(file: File): Attachment {
    const key = createMessageId()
    under.set(key, { file, controller: new AbortController() })
    if (file.size > 0 && file.size <= maxFileBytes) keeping.put(key, file)
    return { ...waiting, key, name: file.name, size: file.size, preview: previewOf(file) }
  }

  return {
    state: () => state,
    subscribe: listeners.add,
    add(given) {
      const space = maxFilesPerMessage - state.attachments.length
      const added = given.slice(0, space).map(begin)
      change({ attachments: [...state.attachments, ...added], isOverfull: given.length > space })
      startNext()
    },
    remove(key) {
      const removed = find(key)
      if (!removed) return
      forget(removed)
      if (removed.shared) discardFile(removed.shared.id)
      else keeping.remove(key)
      change({ attachments: state.attachments.filter((each) => each !== removed), isOverfull: false })
    },
    retry,
    take() {
      const ready = state.attachments.filter((each) => each.shared !== null)
      for (const each of ready) forget(each)
      change({ attachments: state.attachments.filter((each) => each.shared === null), isOverfull: false })
      return ready.map((each) => each.shared as SharedFile)
    },
    hideOverfull: () => change({ isOverfull: false }),
  }
}

const waiting = { state: "waiting", progress: 0, error: null, shared: null } as const

const previewOf = (file: File) => (pictureTypes.has(file.type) ? URL.createObjectURL(file) : null)

/** Of a file that is on its way to the server. */
const comingSchema = z.object({ key: z.string(), name: z.string(), size: z.number() })
const keptSchema = z.array(z.union([fileSchema, comingSchema]))

/** Of what is on the server its name is enough. What can't get there isn't kept: whoever added it has been told. */
function toKept(attachments: readonly Attachment[]): string | null {
  const kept = attachments.flatMap(({ key, name, size, error, shared }): z.input<typeof keptSchema> => {
    if (shared) return [shared]
    return error === null || mayHelp.has(error) ? [{ key, name, size }] : []
  })
  return kept.length > 0 ? JSON.stringify(kept) : null
}

const restore = (kept: z.output<typeof keptSchema>): Attachment[] =>
  kept.map((each) => {
    if ("key" in each) return { ...waiting, ...each, preview: null }
    const { id, name, size, width, hasThumbnail } = each
    return {
      ...{ key: id, name, size, shared: each },
      preview: width ? (hasThumbnail ? thumbnailUrl : fileUrl)(id) : null,
      ...{ state: "ready", progress: 1, error: null },
    }
  })
