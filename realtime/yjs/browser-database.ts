import { withinLimit } from "../within-limit.ts"

/** How long the browser may take to open it. */
const patienceMs = 5_000

/** Documents by owner and channel; beside them, by page as well, what the log hasn't. */
export type Table = "documents" | "edits"
const tables: readonly Table[] = ["documents", "edits"]

/** What a connection says that the browser has ended. */
const lost = new Set(["InvalidStateError", "UnknownError"])

/** The page's one connection, which all its documents share: what they ask is done in the order of asking. */
let opening: Promise<IDBDatabase> | null = null
let database: IDBDatabase | null = null
const users = new Set<object>()

function forget(): void {
  opening = null
  database = null
}

function close(opened: IDBDatabase): void {
  opened.close()
  if (opened === database) forget()
}

function openNow(isGivenUp: () => boolean): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open("realtime-documents", 3)
    request.onupgradeneeded = () => {
      // Those before kept it otherwise, and were never released.
      for (const name of [...request.result.objectStoreNames]) request.result.deleteObjectStore(name)
      for (const name of tables) request.result.createObjectStore(name)
    }
    request.onerror = () => reject(request.error)
    request.onsuccess = () => {
      const opened = request.result
      // The browser may end it at any time, and another page's newer version waits for it to be let go; the
      // next use opens it again.
      opened.onclose = () => close(opened)
      opened.onversionchange = () => close(opened)
      if (isGivenUp()) opened.close()
      resolve(opened)
    }
  })
}

/** What failed is tried again by the next use, and what doesn't end, too. */
function openOnce(): Promise<IDBDatabase> {
  if (opening) return opening
  const own = withinLimit(patienceMs, "open the browser's database", (signal) =>
    openNow(() => signal.aborted),
  )
  opening = own
  // Ahead of all that waits for it, so that what comes later doesn't overtake that.
  own.then((opened) => {
    database = opened
  }, forget)
  return own
}

const endOf = (transaction: IDBTransaction): Promise<void> =>
  new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve()
    transaction.onabort = () => reject(transaction.error ?? new DOMException("aborted", "AbortError"))
  })

export const answerTo = <Result>(request: IDBRequest<Result>): Promise<Result> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })

/**
 * Browser: runs `task` in a transaction, and waits for its end. Where the database is open, that is before
 * it returns: a page that ends lives on for no promise. Whoever uses it lets go of it by `letGo`.
 */
export function transact<T>(
  user: object,
  names: readonly Table[],
  mode: IDBTransactionMode,
  task: (transaction: IDBTransaction) => Promise<T>,
): Promise<T> {
  users.add(user)
  async function run(opened: IDBDatabase): Promise<T> {
    const transaction = opened.transaction(names, mode)
    const [result] = await Promise.all([task(transaction), endOf(transaction)])
    return result
  }
  const opened = database
  if (!opened) return openOnce().then(run)
  // Browsers end a connection without a word, too, as Safari does with one of a page in the background.
  return run(opened).catch((error: unknown) => {
    if (!(error instanceof DOMException) || !lost.has(error.name)) throw error
    close(opened)
    return openOnce().then(run)
  })
}

/** Closes it when nobody uses it any more, behind what was asked of it. */
export function letGo(user: object): void {
  users.delete(user)
  void opening?.then(
    (opened) => {
      if (users.size === 0) close(opened)
    },
    () => {
      // There is nothing to close.
    },
  )
}
