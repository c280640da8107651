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
 * log doesn't have. Once for all of the person's pages. Whatever fails rejects.
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

/** Whether a page may replace what is kept. */
const isNewer = (state: KeptState, kept: KeptState | null | undefined) =>
  kept?.epoch !== state.epoch || kept.seq <= state.seq

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
    const request = indexedDB.open("realtime-documents", 2)
    request.onupgradeneeded = ({ oldVersion }) => {
      // The first one kept it otherwise, and was never released.
      if (oldVersion > 0) request.result.deleteObjectStore("documents")
      request.result.createObjectStore("documents")
    }
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

  // What a page left lies apart from the document: it is kept often, and to do so costs as little as it is.
  const keyOf = (channel: string, page?: string) => [owner, channel, ...(page === undefined ? [] : [page])]
  const leftOf = (channel: string, isOpen = true) =>
    IDBKeyRange.bound(keyOf(channel), [...keyOf(channel), []], isOpen)

  return {
    open: (channel, page) =>
      write(async (documents) => {
        const [state, left] = await Promise.all([
          answerTo<KeptState | undefined>(documents.get(keyOf(channel))),
          answerTo<PendingUpdates[][]>(documents.getAll(leftOf(channel))),
        ])
        const pending = left.flat()
        if (pending.length > 0) {
          documents.delete(leftOf(channel))
          documents.put(pending, keyOf(channel, page))
        }
        return { state: state ?? null, pending }
      }),
    put: (channel, page, { state, pending }) =>
      write(async (documents) => {
        if (pending) documents.put([pending], keyOf(channel, page))
        else documents.delete(keyOf(channel, page))
        if (!state) return
        const kept = await answerTo<KeptState | undefined>(documents.get(keyOf(channel)))
        if (isNewer(state, kept)) documents.put(state, keyOf(channel))
      }),
    remove: (channel) => write(async (documents) => void documents.delete(leftOf(channel, false))),
    clear: () => write(async (documents) => void documents.delete(IDBKeyRange.bound([owner], [owner, []]))),
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
  const documents = new Map<string, { state: KeptState | null; pending: Map<string, PendingUpdates[]> }>()
  function documentOf(channel: string) {
    const kept = documents.get(channel) ?? { state: null, pending: new Map() }
    documents.set(channel, kept)
    return kept
  }
  return {
    async open(channel, page) {
      const kept = documentOf(channel)
      const pending = [...kept.pending.values()].flat()
      kept.pending = new Map(pending.length > 0 ? [[page, pending]] : [])
      return structuredClone({ state: kept.state, pending })
    },
    async put(channel, page, { state, pending }) {
      const kept = documentOf(channel)
      if (pending) kept.pending.set(page, [structuredClone(pending)])
      else kept.pending.delete(page)
      if (state && isNewer(state, kept.state)) kept.state = structuredClone(state)
    },
    async remove(channel) {
      documents.delete(channel)
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
