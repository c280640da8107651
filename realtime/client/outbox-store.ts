import { type DBSchema, type IDBPDatabase, type IDBPObjectStore, openDB } from "idb"
import type { RealtimeErrorCode } from "../errors.ts"
import type { JsonValue } from "../json.ts"

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

interface Schema extends DBSchema {
  messages: {
    key: number
    value: Omit<StoredMessage, "position"> & { position?: number; owner: string }
    indexes: { id: string; owner: string }
  }
}

/**
 * Browser: IndexedDB, one database for the site; `owner` keeps what several
 * people of one browser wrote apart.
 */
export function createIndexedDbStore(owner: string): OutboxStore & {
  /** Takes away all of this person's. */
  clear(): Promise<void>
} {
  let database: Promise<IDBPDatabase<Schema>> | null = null

  /**
   * Opened when it is first needed; tried anew when that failed. An opening that never ends isn't: the
   * browser puts another one behind it. Whoever waits for it limits their wait.
   */
  function open(): Promise<IDBPDatabase<Schema>> {
    database ??= openDB<Schema>("realtime-outbox", 1, {
      upgrade(created) {
        const messages = created.createObjectStore("messages", { keyPath: "position", autoIncrement: true })
        messages.createIndex("id", "id")
        messages.createIndex("owner", "owner")
      },
      // Another page's newer version waits for this one to let go.
      blocking(_, __, event) {
        ;(event.target as IDBDatabase).close()
        database = null
      },
      // The browser may end it at any time; the next use opens it again.
      terminated: () => {
        database = null
      },
    }).catch((error: unknown) => {
      database = null
      throw error
    })
    return database
  }

  /**
   * Resolves once it is done for good. What fails in a transaction fails the
   * transaction too: both are waited for.
   */
  async function write<T>(
    task: (messages: IDBPObjectStore<Schema, ["messages"], "messages", "readwrite">) => Promise<T>,
    options?: IDBTransactionOptions,
  ): Promise<T> {
    const { store, done } = (await open()).transaction("messages", "readwrite", options)
    const [result] = await Promise.all([task(store), done])
    return result
  }

  return {
    async load() {
      const found = await (await open()).getAllFromIndex("messages", "owner", owner)
      return found as StoredMessage[]
    },
    async add(message) {
      return write(async (messages) => messages.add({ ...message, owner }), { durability: "strict" })
    },
    async refuse(id, refusal) {
      await write(async (messages) => {
        const found = await messages.index("id").get(id)
        if (found) await messages.put({ ...found, refusal })
      })
    },
    async remove(id) {
      await write(async (messages) => {
        const position = await messages.index("id").getKey(id)
        if (position !== undefined) await messages.delete(position)
      })
    },
    async clear() {
      await write(async (messages) => {
        for (const position of await messages.index("owner").getAllKeys(owner))
          await messages.delete(position)
      })
    },
    close() {
      void database?.then(
        (opened) => opened.close(),
        () => {},
      )
      database = null
    },
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
