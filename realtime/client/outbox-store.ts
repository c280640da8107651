import { fromWireError, type RealtimeErrorCode } from "../errors.ts"
import type { JsonValue } from "../json.ts"
import { withinLimit } from "../within-limit.ts"

/** A message as it lies in the browser. */
export interface StoredMessage {
  /** Grows with each message that is stored, whichever tab stores it. */
  position: number
  id: string
  channel: string
  event: string
  payload: JsonValue
  at: number
  refusal?: Refusal | undefined
}

export interface Refusal {
  code: RealtimeErrorCode
  message: string
}

/** Why another tab's message, or an earlier page's, was refused. */
export const fromRefusal = ({ code, message }: Refusal) => fromWireError({ code, message, retryable: false })

/** Where unsent messages are kept. Whatever fails rejects: a full disk, a browser that keeps nothing. */
export interface OutboxStore {
  /** All of this person's, in the order they were added. */
  load(): Promise<StoredMessage[]>
  /** Resolves with its position, once it would survive the page. */
  add(message: Omit<StoredMessage, "position" | "refusal">): Promise<number>
  refuse(id: string, refusal: Refusal | undefined): Promise<void>
  remove(id: string): Promise<void>
  /** Lets go of the browser's; what is asked later opens it again. */
  close(): void
}

/** As it lies in the database. */
type Row = StoredMessage & { owner: string }

const answerTo = <Result>(request: IDBRequest<Result>): Promise<Result> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })

/** What fails in a transaction aborts it; what aborts it from outside may say nothing. */
const endOf = (transaction: IDBTransaction): Promise<void> =>
  new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve()
    transaction.onabort = () => reject(transaction.error ?? new DOMException("aborted", "AbortError"))
  })

/**
 * Browser: IndexedDB, one database for the site; `owner` keeps what several
 * people of one browser wrote apart.
 */
export function createIndexedDbStore(owner: string): OutboxStore & {
  /** Takes away all of this person's. */
  clear(): Promise<void>
} {
  let database: Promise<IDBDatabase> | null = null
  const forget = () => {
    database = null
  }

  async function openNow(): Promise<IDBDatabase> {
    const request = indexedDB.open("realtime-outbox", 1)
    request.onupgradeneeded = () => {
      const options = { keyPath: "position", autoIncrement: true }
      const messages = request.result.createObjectStore("messages", options)
      messages.createIndex("id", "id")
      messages.createIndex("owner", "owner")
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

  /**
   * Opened when it is first needed; tried anew when that failed. An opening that never ends isn't: the
   * browser puts another one behind it. Whoever waits for it limits their wait.
   */
  function open(): Promise<IDBDatabase> {
    database ??= openNow().catch((error: unknown) => {
      forget()
      throw error
    })
    return database
  }

  /**
   * Resolves once it is done for good. What fails in a transaction fails the
   * transaction too: both are waited for.
   */
  async function write<T>(
    task: (messages: IDBObjectStore) => Promise<T>,
    options?: IDBTransactionOptions,
  ): Promise<T> {
    const transaction = (await open()).transaction("messages", "readwrite", options)
    const [result] = await Promise.all([task(transaction.objectStore("messages")), endOf(transaction)])
    return result
  }

  return {
    async load() {
      const messages = (await open()).transaction("messages").objectStore("messages")
      return answerTo<Row[]>(messages.index("owner").getAll(owner))
    },
    async add(message) {
      const key = await write((messages) => answerTo(messages.add({ ...message, owner })), {
        durability: "strict",
      })
      return key as number
    },
    async refuse(id, refusal) {
      await write(async (messages) => {
        const found = await answerTo<Row | undefined>(messages.index("id").get(id))
        if (found) await answerTo(messages.put({ ...found, refusal }))
      })
    },
    async remove(id) {
      await write(async (messages) => {
        const position = await answerTo(messages.index("id").getKey(id))
        if (position !== undefined) await answerTo(messages.delete(position))
      })
    },
    async clear() {
      await write(async (messages) => {
        for (const position of await answerTo(messages.index("owner").getAllKeys(owner)))
          await answerTo(messages.delete(position))
      })
    },
    close() {
      void database?.then(
        (opened) => opened.close(),
        () => {},
      )
      forget()
    },
  }
}

/** How long whoever signs out waits for the browser. */
const patienceMs = 5_000

/**
 * Browser: takes away what this person has written here and not sent, where they can never come back for it.
 * Rejects where the browser fails, and with `timeout` where it doesn't answer.
 */
export async function forgetOutbox(owner: string): Promise<void> {
  const store = createIndexedDbStore(owner)
  try {
    await withinLimit(patienceMs, "empty the outbox", () => store.clear())
  } finally {
    store.close()
  }
}

/**
 * As long as the page lives, and no longer: where there is nobody to keep it for, on the server and in tests.
 */
export function createMemoryStore(): OutboxStore {
  const messages = new Map<string, StoredMessage>()
  let last = 0
  return {
    load: async () => [...messages.values()],
    async add(message) {
      last += 1
      messages.set(message.id, { ...message, position: last })
      return last
    },
    async refuse(id, refusal) {
      const found = messages.get(id)
      if (found) messages.set(id, { ...found, refusal })
    },
    async remove(id) {
      messages.delete(id)
    },
    close() {},
  }
}
