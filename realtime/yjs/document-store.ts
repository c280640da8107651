import { withinLimit } from "../within-limit.ts"
import { answerTo, letGo, transact } from "./browser-database.ts"
import { forgetOwner, onForgotten } from "./forgotten-owners.ts"
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
 * log doesn't have. Once for all of the person's pages. What a page asks is done in the order in which it
 * asks, and begun before the call returns where that is possible: a page that ends waits for nothing.
 * Whatever fails rejects.
 */
export interface DocumentStore {
  /** What is kept of this channel's document. What other pages left is this page's from now on. */
  open(channel: string, page: string): Promise<KeptDocument>
  /**
   * Replaces what this page left; and the document, where `state` is given and reaches further than what is
   * kept, or is of another log. Resolves with whether the document is kept: what the log hasn't can't be
   * shown without.
   */
  put(
    channel: string,
    page: string,
    kept: { state?: KeptState | undefined; pending: readonly PendingUpdates[] },
  ): Promise<boolean>
  /** Takes the document away, with what this page left. */
  remove(channel: string, page: string): Promise<void>
  /** Lets go of the browser's; what is asked later opens it again. */
  close(): void
}

/** Whether a page may replace what is kept. */
const isNewer = (state: KeptState, kept: KeptState | null | undefined) =>
  kept?.epoch !== state.epoch || kept.seq <= state.seq

/** Browser: IndexedDB, one database for the site; `owner` keeps the people of one browser apart. */
export function createIndexedDbDocuments(owner: string): DocumentStore & {
  /** Takes away all of this person's. */
  clear(): Promise<void>
} {
  const user = {}
  /** An open document writes on; it would bring back what was taken away. */
  let isForgotten = false
  const leftOf = (channel: string) => IDBKeyRange.bound([owner, channel], [owner, channel, []])

  /** In a transaction of its own, without reading and ended at once: it outlives the page that asks. */
  const putEdits = (channel: string, page: string, pending: readonly PendingUpdates[]) =>
    transact(user, ["edits"], "readwrite", async (transaction) => {
      const edits = transaction.objectStore("edits")
      if (pending.length > 0) edits.put(pending, [owner, channel, page])
      else edits.delete([owner, channel, page])
      transaction.commit()
    })

  const putState = (channel: string, state: KeptState | undefined) =>
    transact(user, ["documents"], state ? "readwrite" : "readonly", async (transaction) => {
      const documents = transaction.objectStore("documents")
      const key = [owner, channel]
      if (!state) return (await answerTo(documents.count(key))) > 0
      if (isNewer(state, await answerTo<KeptState | undefined>(documents.get(key)))) documents.put(state, key)
      return true
    })

  const clear = () =>
    transact(user, ["documents", "edits"], "readwrite", async (transaction) => {
      const all = IDBKeyRange.bound([owner], [owner, []])
      for (const name of transaction.objectStoreNames) transaction.objectStore(name).delete(all)
    })

  const stop = onForgotten((forgotten) => {
    if (forgotten !== owner) return
    isForgotten = true
    // Behind all that this page has asked for before.
    clear().catch(() => {
      // Whoever forgets them hears of the browser's failure.
    })
  })

  return {
    open: (channel, page) =>
      transact(user, ["documents", "edits"], "readwrite", async (transaction) => {
        const [documents, edits] = [transaction.objectStore("documents"), transaction.objectStore("edits")]
        const [state, left] = await Promise.all([
          answerTo<KeptState | undefined>(documents.get([owner, channel])),
          answerTo<PendingUpdates[][]>(edits.getAll(leftOf(channel))),
        ])
        const pending = left.flat()
        if (pending.length > 0) {
          edits.delete(leftOf(channel))
          edits.put(pending, [owner, channel, page])
        }
        return { state: state ?? null, pending }
      }),
    async put(channel, page, { state, pending }) {
      if (isForgotten) return true
      const [, isKept] = await Promise.all([putEdits(channel, page, pending), putState(channel, state)])
      return isKept
    },
    remove: (channel, page) =>
      transact(user, ["documents", "edits"], "readwrite", async (transaction) => {
        transaction.objectStore("documents").delete([owner, channel])
        transaction.objectStore("edits").delete([owner, channel, page])
        transaction.commit()
      }),
    clear,
    close() {
      stop()
      letGo(user)
    },
  }
}

/** As long as it lives, and no longer: for pages that share it in a test. */
export function createMemoryDocuments(): DocumentStore {
  const documents = new Map<string, KeptState>()
  const edits = new Map<string, Map<string, readonly PendingUpdates[]>>()
  return {
    async open(channel, page) {
      const pending = [...(edits.get(channel)?.values() ?? [])].flat()
      edits.set(channel, new Map(pending.length > 0 ? [[page, pending]] : []))
      return structuredClone({ state: documents.get(channel) ?? null, pending })
    },
    async put(channel, page, { state, pending }) {
      const left = edits.get(channel) ?? new Map<string, readonly PendingUpdates[]>()
      edits.set(channel, left)
      if (pending.length > 0) left.set(page, structuredClone(pending))
      else left.delete(page)
      if (state && isNewer(state, documents.get(channel))) documents.set(channel, structuredClone(state))
      return documents.has(channel)
    },
    async remove(channel, page) {
      documents.delete(channel)
      edits.get(channel)?.delete(page)
    },
    close() {},
  }
}

/** How long whoever signs out waits for the browser. */
const patienceMs = 5_000

/**
 * Browser: takes away the documents that this person's browser keeps, with the edits that weren't sent, where
 * they can never come back for them. One that is open, in any tab, goes on and is kept no more. Rejects where
 * the browser fails, and with `timeout` where it doesn't answer.
 */
export async function forgetDocuments(owner: string): Promise<void> {
  forgetOwner(owner)
  const store = createIndexedDbDocuments(owner)
  try {
    await withinLimit(patienceMs, "forget the documents", () => store.clear())
  } finally {
    store.close()
  }
}
