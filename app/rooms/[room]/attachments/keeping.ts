import { logError } from "throughline"
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
    put: (key, file) => void inTurn((files) => files.put(key, file)),
    remove: (key) => void inTurn((files) => files.remove(key)),
    get: (key) => inTurn((files) => files.get(key)),
  }
}
