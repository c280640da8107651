import { withinLimit } from "../within-limit.ts"
import type { PendingUpdates } from "./update-sender.ts"

/** A document as a browser keeps it. */
export interface KeptState {
  /** Of the log. */
  epoch: string
  /** Up to which message it reaches. */
  seq: number
  /** Of that message, as the log gave it, where it is known. */
  mark?: string | undefined
  /** The document as one update. */
  bytes: Uint8Array
}

/** What a page begins with. */
export interface KeptDocument {
  /** The document; null where it isn't kept. */
  state: KeptState | null
  /**
   * What pages wrote that ended before the log had it, or may go on beside this one: sent twice it is
   * there once.
   */
  pending: readonly PendingUpdates[]
}

/**
 * Browser: where a person's documents are kept, so that they can be opened without a network, with what the
 * log doesn't have. One row a document, for all of the person's pages. Whatever fails rejects.
 */
export interface DocumentStore {
  /** What is kept of this channel's document. What other pages left is this page's from now on. */
  open(channel: string, page: string): Promise<KeptDocument>
  /**
   * Replaces what this page left; and the document, where `state` is given and reaches further than what is
   * kept, or is of another log.
   */
  put(
    channel: string,
    page: string,
    kept: { state?: KeptState | undefined; pending: PendingUpdates | null },
  ): Promise<void>
  /** Takes the document away. */
  remove(channel: string): Promise<void>
  /** Lets go of the browser's; what is asked later opens it again. */
  close(): void
}

/** As it lies there: what each page left stands under the page's name. */
interface Row {
  state: KeptState | null
  pending: { [page: string]: PendingUpdates[] }
}

const emptyRow: Row = { state: null, pending: {} }

/** Takes over what others left. */
function openRow({ state, pending }: Row, page: string): Row {
  const left = Object.values(pending).flat()
  return { state, pending: left.length > 0 ? { [page]: left } : {} }
}

function putRow(row: Row, page: string, { state, pending }: Parameters<DocumentStore["put"]>[2]): Row {
  const { [page]: _, ...others } = row.pending
  const isNewer = state && (row.state?.epoch !== state.epoch || row.state.seq <= state.seq)
  return {
    state: isNewer ? state : row.state,
    pending: pending ? { ...others, [page]: [pending] } : others,
  }
}

const answerTo = <Result>(request: IDBRequest<Result>): Promise<Result> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })

const endOf = (transaction: IDBTransaction): Promise<void> =>
  new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve()
    transaction.onabort = () => reject(transaction.error ?? new DOMException("aborted", "AbortError"))
  })

/** Browser: IndexedDB, one database for the site; `owner` keeps the people of one browser apart. */
export function createIndexedDbDocuments(owner: string): DocumentStore & {
  /** Takes away all of this person's. */
  clear(): Promise<void>
} {
  let database: Promise<IDBDatabase> | null = null
  const forget = () => {
    database = null
  }

  async function openNow(): Promise<IDBDatabase> {
    const request = indexedDB.open("realtime-documents", 1)
    request.onupgradeneeded = () => void request.result.createObjectStore("documents")
    const opened = await answerTo(request)
    // Another page's newer version waits for this one to let go.
    opened.onversionchange = () => {
      opened.close()
      forget()
    }
    // The browser may end it at any time; the next use opens it again.
    opened.onclose = forget
    return opened
  }

  function openOnce(): Promise<IDBDatabase> {
    database ??= openNow().catch((error: unknown) => {
      forget()
      throw error
    })
    return database
  }

  async function write<T>(task: (documents: IDBObjectStore) => Promise<T>): Promise<T> {
    const transaction = (await openOnce()).transaction("documents", "readwrite")
    const [result] = await Promise.all([task(transaction.objectStore("documents")), endOf(transaction)])
    return result
  }

  const update = (channel: string, change: (row: Row) => Row) =>
    write(async (documents) => {
      const key = [owner, channel]
      const row = change((await answerTo<Row | undefined>(documents.get(key))) ?? emptyRow)
      await answerTo(documents.put(row, key))
      return row
    })

  return {
    async open(channel, page) {
      const { state, pending } = await update(channel, (row) => openRow(row, page))
      return { state, pending: pending[page] ?? [] }
    },
    async put(channel, page, kept) {
      await update(channel, (row) => putRow(row, page, kept))
    },
    remove: (channel) =>
      write(async (documents) => void (await answerTo(documents.delete([owner, channel])))),
    clear: () =>
      write(
        async (documents) => void (await answerTo(documents.delete(IDBKeyRange.bound([owner], [owner, []])))),
      ),
    close() {
      void database?.then(
        (opened) => opened.close(),
        () => {},
      )
      forget()
    },
  }
}

/** As long as it lives, and no longer: for pages that share it in a test. */
export function createMemoryDocuments(): DocumentStore {
  const rows = new Map<string, Row>()
  const update = (channel: string, change: (row: Row) => Row): Row => {
    const row = change(rows.get(channel) ?? emptyRow)
    rows.set(channel, structuredClone(row))
    return structuredClone(row)
  }
  return {
    async open(channel, page) {
      const { state, pending } = update(channel, (row) => openRow(row, page))
      return { state, pending: pending[page] ?? [] }
    },
    async put(channel, page, kept) {
      update(channel, (row) => putRow(row, page, kept))
    },
    async remove(channel) {
      rows.delete(channel)
    },
    close() {},
  }
}

/** How long whoever signs out waits for the browser. */
const patienceMs = 5_000

/**
 * Browser: takes away the documents that this person's browser keeps, with the edits that weren't sent, where
 * they can never come back for them. Rejects where the browser fails, and with `timeout` where it doesn't
 * answer.
 */
export async function forgetDocuments(owner: string): Promise<void> {
  const store = createIndexedDbDocuments(owner)
  try {
    await withinLimit(patienceMs, "forget the documents", () => store.clear())
  } finally {
    store.close()
  }
}
