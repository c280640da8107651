import { createStore, delMany, entries, get, set, type UseStore } from "idb-keyval"
import { withinLimit } from "throughline"

/** As it lies in the browser's database, by its owner and its key. */
interface Row {
  file: File
  /** When it was put there, in milliseconds since 1970. */
  at: number
}
type Key = [owner: string, key: string]

/** Files of one person that are on their way to the server: their bytes outlive a reload. */
export interface KeptFiles {
  /** Resolves once it would survive the page. Rejects where the browser keeps nothing, or no more. */
  put(key: string, file: File): Promise<void>
  /** Null where there is none, or none any more. */
  get(key: string): Promise<File | null>
  remove(key: string): Promise<void>
}

/** A browser that takes longer is as good as one that keeps nothing. */
const patienceMs = 5_000
/** Whoever closes a tab while it sends something doesn't come back for it. */
const keptMs = 24 * 60 * 60 * 1000

let opened: UseStore | undefined
const store = () => (opened ??= createStore("throughline-files", "files"))

const within = <T>(doing: string, task: () => Promise<T>) => withinLimit(patienceMs, doing, task)

/** Takes away those of which this is true. */
const removeWhere = (isGone: (owner: string, row: Row) => boolean) =>
  within("take away kept files", async () => {
    const rows = await entries<Key, Row>(store())
    const gone = rows.filter(([[owner], row]) => isGone(owner, row)).map(([key]) => key)
    if (gone.length > 0) await delMany(gone, store())
  })

/** Browser: keeps one person's files in IndexedDB. What others left there, or nobody came back for, goes when something is put. */
export function createKeptFiles(owner: string, now: () => number = Date.now): KeptFiles {
  const keyOf = (key: string): Key => [owner, key]
  return {
    async put(key, file) {
      await removeWhere((other, { at }) => other !== owner || at <= now() - keptMs)
      await within("keep a file", () => set(keyOf(key), { file, at: now() } satisfies Row, store()))
    },
    async get(key) {
      const row = await within("read a kept file", () => get<Row>(keyOf(key), store()))
      return row?.file ?? null
    },
    remove: (key) => within("take away a kept file", () => delMany([keyOf(key)], store())),
  }
}

/** Browser: takes away what others left there. */
export const removeOthersFiles = (owner: string) => removeWhere((other) => other !== owner)

/** Browser: takes away what this person has put there, where they can never come back for it. */
export const forgetKeptFiles = (owner: string) => removeWhere((other) => other === owner)
