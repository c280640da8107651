import { createListeners, logError } from "throughline"
import * as z from "zod/mini"
import { fileSchema, maxFilesPerMessage, type SharedFile } from "#lib/chat/channels.ts"
import { personalStorage } from "#lib/chat/personal-storage.ts"
import { fileUrl, pictureTypes, thumbnailUrl } from "#lib/files/rules.ts"
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
}

/** So many at once: a browser has six connections to a server, and messages shall go on meanwhile. */
const maxAtOnce = 2

export const noUploads: UploadsState = { attachments: [], isOverfull: false }

export function createUploads({ owner, roomId, send = sendFile }: UploadsOptions): Uploads {
  /** What is ready survives a reload. */
  const storage = personalStorage(owner, "files")
  const listeners = createListeners(logError, "uploads.subscribe")
  const under = new Map<string, { file: File; controller: AbortController }>()
  let state: UploadsState = {
    ...noUploads,
    attachments: restore(storage.readJson(keptSchema.parse, roomId) ?? []),
  }
  let underWay = 0
  let made = 0

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
    const next = state.attachments.find((each) => each.state === "waiting")
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
    } catch (error) {
      if (controller.signal.aborted) return
      if (!(error instanceof UploadError)) reportError(error)
      update(key, { state: "failed", error: error instanceof UploadError ? error.code : "internal" })
    }
  }

  function retry(key: string): void {
    if (find(key)?.state !== "failed") return
    update(key, { state: "waiting", error: null })
    startNext()
  }

  function goOn(): void {
    for (const { key, error } of state.attachments) if (error === "not-connected") retry(key)
  }
  globalThis.addEventListener?.("online", goOn)

  function forget({ key, preview }: Attachment): void {
    under.get(key)?.controller.abort()
    under.delete(key)
    if (preview?.startsWith("blob:")) URL.revokeObjectURL(preview)
  }

  return {
    state: () => state,
    subscribe: listeners.add,
    add(files) {
      const space = maxFilesPerMessage - state.attachments.length
      const added = files.slice(0, space).map((file): Attachment => {
        made += 1
        const key = `new-${made}`
        under.set(key, { file, controller: new AbortController() })
        const preview = pictureTypes.has(file.type) ? URL.createObjectURL(file) : null
        return {
          ...{ key, name: file.name, size: file.size, preview },
          ...{ state: "waiting", progress: 0, error: null, shared: null },
        }
      })
      change({ attachments: [...state.attachments, ...added], isOverfull: files.length > space })
      startNext()
    },
    remove(key) {
      const removed = find(key)
      if (!removed) return
      forget(removed)
      if (removed.shared) discardFile(removed.shared.id)
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

/** What is on the server already is a matter of its name; what was under way is the browser's to give again. */
function toKept(attachments: readonly Attachment[]): string | null {
  const ready = attachments.flatMap(({ shared }) => shared ?? [])
  return ready.length > 0 ? JSON.stringify(ready) : null
}

const keptSchema = z.array(fileSchema)

function restore(ready: readonly SharedFile[]): Attachment[] {
  return ready.map((shared) => ({
    ...{ key: shared.id, name: shared.name, size: shared.size, shared },
    preview: shared.width ? (shared.hasThumbnail ? thumbnailUrl : fileUrl)(shared.id) : null,
    ...{ state: "ready", progress: 1, error: null },
  }))
}
