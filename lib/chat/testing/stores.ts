import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { JsonValue, User } from "throughline"
import { createPostgresLog } from "throughline/log/postgres"
import { createSqliteLog } from "throughline/log/sqlite"
import type { AppendResult, MessageLog } from "throughline/server"
import { findPgBouncer, findPostgres, startPgBouncer, startPostgres } from "throughline/testing"
import { v7 as uuidv7 } from "uuid"
import { afterAll, beforeAll, describe } from "vitest"
import { room } from "../channels.ts"
import { type Database, openDatabase, openPool } from "../database.ts"
import { createMessageIndex, type MessageIndex } from "../message-index.ts"
import { createReadPositions, type ReadPositions } from "../read-positions.ts"
import { createRooms, type Rooms } from "../rooms.ts"
import { createSearch, type Search } from "../search.ts"

/** What one process of the chat has of its stores. */
export interface TestProcess {
  database: Database
  isPostgres: boolean
  log: MessageLog
  rooms: Rooms
  index: MessageIndex
  readPositions: ReadPositions
  search: Search
}

export interface TestStore {
  /** The first process. */
  main: TestProcess
  /** One more, with connections of its own. */
  open(options?: { log?: (log: MessageLog) => MessageLog; maxEntries?: number }): Promise<TestProcess>
}

type Use = (run: (store: TestStore) => Promise<void>) => Promise<void>

/**
 * Runs the tests on SQLite and, where there is one, on a real PostgreSQL, behind a pooler in transaction mode where there is one too:
 * what works there works without. Each `use` begins with empty tables, but for the rooms `one` and `two`, which are nobody's.
 */
export function describeStores(name: string, tests: (use: Use) => void): void {
  describe(`${name}, in SQLite`, () => {
    tests(async (run) => {
      const dataDir = mkdtempSync(join(tmpdir(), "throughline-chat-"))
      await withProcesses(async () => {
        const log = createSqliteLog({ path: join(dataDir, "realtime.db") })
        return { database: await openDatabase({ dataDir }), log, isPostgres: false }
      }, run)
      rmSync(dataDir, { recursive: true })
    })
  })

  const isMissing = !findPostgres()
  const isPooled = findPgBouncer() !== null
  const title = isMissing
    ? "PostgreSQL (skipped: not found)"
    : `PostgreSQL${isPooled ? " behind PgBouncer" : ""}`
  describe.skipIf(isMissing)(`${name}, in ${title}`, () => {
    const stack = new AsyncDisposableStack()
    let direct = ""
    let pooled = ""
    let count = 0
    beforeAll(async () => {
      const postgres = stack.use(await startPostgres())
      direct = postgres.connectionString
      pooled = isPooled ? stack.use(await startPgBouncer(postgres)).connectionString : direct
    })
    afterAll(() => stack.disposeAsync())

    tests(async (run) => {
      count += 1
      const admin = openPool(direct)
      await admin.query(`CREATE DATABASE chat_${count}`)
      await admin.end()
      const connectionString = pooled.replace(/\/postgres(?=\?|$)/, `/chat_${count}`)
      await withProcesses(async () => {
        const pool = openPool(connectionString, { max: 4 })
        const log = createPostgresLog({ pool })
        return { database: await openDatabase({ pool, dataDir: "" }), log, isPostgres: true }
      }, run)
    })
  })
}

async function withProcesses(
  connect: () => Promise<Pick<TestProcess, "database" | "log" | "isPostgres">>,
  run: (store: TestStore) => Promise<void>,
): Promise<void> {
  const opened: TestProcess[] = []
  const open: TestStore["open"] = async ({ log: wrap = (plain: MessageLog) => plain, maxEntries } = {}) => {
    const { database, log: plain, isPostgres } = await connect()
    const log = wrap(plain)
    const index = createMessageIndex({
      ...{ database, isPostgres, log },
      ...(maxEntries !== undefined && { maxEntries }),
    })
    const opening: TestProcess = {
      ...{ database, isPostgres, log, index },
      rooms: createRooms(database, Date.now, log),
      readPositions: createReadPositions({ database, index }),
      search: createSearch({ database, isPostgres, index }),
    }
    opened.push(opening)
    return opening
  }
  try {
    const main = await open()
    const nobodys = { is_private: 1, owner_id: null, created_at: 0, active_at: 0 }
    const rooms = ["one", "two"].map((id) => ({ id, name: id, ...nobodys }))
    await main.database.insertInto("rooms").values(rooms).execute()
    await run({ main, open })
  } finally {
    for (const { log, database } of opened) {
      await log.close()
      await database.destroy()
    }
  }
}

export type Said = AppendResult & { roomId: string }

/** Writes to a room's log as the server does once it has let somebody. */
export function writerOf({ log }: Pick<TestProcess, "log">, roomId: string) {
  async function write(from: User | null, event: string, payload: JsonValue, id = uuidv7()): Promise<Said> {
    const [result] = await log.append([{ id, channel: room({ room: roomId }).name, event, payload, from }])
    return { ...(result as AppendResult), roomId }
  }
  return {
    write,
    say: (from: User | null, text: string, more: Record<string, JsonValue> = {}) =>
      write(from, "text-sent", { text, ...more }),
    edit: (from: User | null, target: string, text: string, more: Record<string, JsonValue> = {}) =>
      write(from, "message-edited", { target, text, ...more }),
    remove: (from: User | null, target: string) => write(from, "message-deleted", { target }),
  }
}
