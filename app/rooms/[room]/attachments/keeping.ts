import { logError } from "throughline"
import { personalStorage } from "#lib/chat/personal-storage.ts"
import type { KeptFiles } from "#lib/files/kept-files.ts"

/** Keeps files for the next page, as far as the browser does: one that keeps nothing sends them all the same. */
export interface Keeping {
  /** Nobody waits for it. */
  put(key: string, file: File): void
  remove(key: string): void
  /** Never rejects: null where there is none, or it can't be had. */
  get(key: string): Promise<File | null>
}

export type OpenFiles = (owner: string) => Promise<KeptFiles>

const openKeptFiles: OpenFiles = async (owner) =>
  (await import("#lib/files/kept-files.ts")).createKeptFiles(owner)

/** Browser: opens the files when the first one is there, so that whoever sends none downloads nothing for it. */
export function createKeeping(owner: string, open = openKeptFiles): Keeping {
  let opened: Promise<KeptFiles> | undefined
  let last: Promise<unknown> = Promise.resolve()

  function files(): Promise<KeptFiles> {
    // Asked for again where it couldn't be downloaded.
    opened ??= open(owner).catch((error: unknown) => {
      opened = undefined
      throw error
    })
    return opened
  }

  /** One after the other: what is taken away while it is put isn't there afterwards. */
  function inTurn<T>(task: (files: KeptFiles) => Promise<T>): Promise<T | null> {
    const done = last.then(async () => task(await files()))
    const answer = done.catch((error: unknown) => {
      logError(error, { stage: "keep a file" })
      return null
    })
    last = answer
    return answer
  }

  return {
    put(key, file) {
      personalStorage(owner, "hasFiles").write("yes")
      void inTurn((files) => files.put(key, file))
    },
    remove: (key) => void inTurn((files) => files.remove(key)),
    get: (key) => inTurn((files) => files.get(key)),
  }
}

/**
 * Browser: takes away what others attached here and hadn't sent. Downloads what reads the browser's database only where somebody left
 * something in it. Never rejects: what couldn't be taken away is tried again by the next page.
 */
export async function removeOthersAttached(owner: string): Promise<void> {
  personalStorage(owner, "files").removeOthers()
  const marks = personalStorage(owner, "hasFiles")
  if (!marks.hasOthers()) return
  try {
    const { removeOthersFiles } = await import("#lib/files/kept-files.ts")
    await removeOthersFiles(owner)
    marks.removeOthers()
  } catch (error) {
    logError(error, { stage: "take away others' files" })
  }
}
