import { closeSync, fstatSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { sql } from "kysely"
import { findPostgres, startPostgres, waitFor } from "throughline/testing"
import { describe, expect, it } from "vitest"
import { type Database, openDatabase, openPool } from "./database.ts"

const ask = (database: Database) => database.selectFrom("rooms").select("id").execute()
const wrong = (database: Database) => sql`SELECT nothing FROM nowhere`.execute(database)

const unavailable = { code: "log-unavailable", retryable: true }

describe.skipIf(!findPostgres())("the chat's database in PostgreSQL", () => {
  it("says that it can't be used while PostgreSQL is away, and goes on when it is back", async () => {
    await using postgres = await startPostgres()
    const database = await openDatabase({ pool: openPool(postgres.connectionString), dataDir: "" })
    const during = database.transaction().execute(async (transaction) => {
      await ask(transaction)
      await postgres.stop()
      await ask(transaction)
    })
    await expect(during).rejects.toMatchObject(unavailable)
    await expect(ask(database)).rejects.toMatchObject({
      ...unavailable,
      message: "[realtime] unable to use the chat's database; nothing answers at PostgreSQL's socket",
    })
    await postgres.start()
    // A connection of before may have to break first.
    await waitFor(() =>
      ask(database).then(
        () => true,
        () => false,
      ),
    )
    await expect(wrong(database)).rejects.not.toMatchObject(unavailable)
    await database.destroy()
  })
})

/** As it stands in a folder of its own, for a test to change before the chat opens it again. */
async function changedBy(
  change: (database: DatabaseSync) => void,
): Promise<Disposable & { dataDir: string }> {
  const dataDir = mkdtempSync(join(tmpdir(), "throughline-chat-"))
  const database = await openDatabase({ dataDir })
  await database.destroy()
  using file = new DatabaseSync(join(dataDir, "chat.db"))
  change(file)
  return { dataDir, [Symbol.dispose]: () => rmSync(dataDir, { recursive: true }) }
}

describe("the chat's tables", () => {
  it("of a later release are left alone, and the reason is one line", async () => {
    using chat = await changedBy((file) => {
      file.exec("INSERT INTO chat_migrations VALUES ('2999-01-01-later', '2999-01-01T00:00:00.000Z')")
    })
    await expect(openDatabase(chat)).rejects.toMatchObject({
      code: "invalid-config",
      message:
        "[realtime] unable to open the chat's database; a later release has changed its tables (2999-01-01-later): start that one, or put back a copy from before it",
    })
  })

  it("that can't be brought up to date say which step failed", async () => {
    using chat = await changedBy((file) => {
      file.exec("DROP INDEX invitations_by_age")
      file.exec("DELETE FROM chat_migrations WHERE name >= '2026-11-29-room-invitations'")
    })
    await expect(openDatabase(chat)).rejects.toMatchObject({
      code: "internal",
      message:
        '[realtime] unable to bring the chat\'s tables up to date; "2026-11-29-room-invitations" failed: index invitations_by_room already exists',
    })
  })
})

describe("the chat's database in SQLite", () => {
  it("says that it can't be used when the file is damaged, and not when what was asked is wrong", async () => {
    const dataDir = mkdtempSync(join(tmpdir(), "throughline-chat-"))
    const database = await openDatabase({ dataDir })
    await expect(wrong(database)).rejects.not.toMatchObject(unavailable)
    const path = join(dataDir, "chat.db")
    using other = new DatabaseSync(path)
    other.exec("CREATE TABLE another (n INTEGER); PRAGMA wal_checkpoint(TRUNCATE)")
    const file = openSync(path, "r+")
    const { size } = fstatSync(file)
    writeSync(file, Buffer.alloc(size - 4096, 0xff), 0, size - 4096, 4096)
    closeSync(file)
    await expect(ask(database)).rejects.toMatchObject({
      ...unavailable,
      message: "[realtime] unable to use the chat's database; the file is damaged",
    })
    await database.destroy()
    rmSync(dataDir, { recursive: true })
  })
})
