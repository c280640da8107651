import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync, type StatementSync } from "node:sqlite"
import { Kysely, PostgresDialect, SqliteDialect } from "kysely"
import pg from "pg"
import { migrate } from "./migrations.ts"

/** The chat's own tables; what is said stands in the realtime log. */
export interface Tables {
  rooms: RoomsTable
  members: MembersTable
  invitations: InvitationsTable
  presence: PresenceTable
}

interface RoomsTable {
  id: string
  name: string
  /** 1: whoever has no membership can't tell that it exists. */
  is_private: number
  owner_id: string | null
  created_at: number
}

interface MembersTable {
  room_id: string
  user_id: string
  user_name: string
  joined_at: number
}

interface InvitationsTable {
  /** SHA-256 of the token: whoever reads the database can't join by it. */
  token_hash: string
  room_id: string
  created_by: string
  created_at: number
}

/** What the providers' webhooks told of each connection; the bundled gateway knows by itself. */
interface PresenceTable {
  provider: string
  channel: string
  connection: string
  user_id: string
  is_present: number
  at: number
}

export type Database = Kysely<Tables>

export interface DatabaseOptions {
  /** PostgreSQL; absent: a SQLite file in `dataDir`. */
  databaseUrl?: string | undefined
  dataDir: string
}

/** Opens the chat's database, brought up to this code's version. Several processes may do so at once. */
export async function openDatabase({ databaseUrl, dataDir }: DatabaseOptions): Promise<Database> {
  const database = databaseUrl ? openPostgres(databaseUrl) : openSqlite(dataDir)
  await migrate(database)
  return database
}

function openPostgres(connectionString: string): Database {
  const pool = new pg.Pool({ connectionString, max: 5 })
  // An idle connection that breaks is replaced; queries report their own failures.
  pool.on("error", () => {})
  return new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) })
}

function openSqlite(dataDir: string): Database {
  mkdirSync(dataDir, { recursive: true })
  const database = new DatabaseSync(join(dataDir, "chat.db"), { timeout: 10_000 })
  database.exec("PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON")
  return new Kysely<Tables>({ dialect: new SqliteDialect({ database: toKyselyDatabase(database) }) })
}

/** Node's SQLite in the shape that Kysely's dialect calls. */
function toKyselyDatabase(database: DatabaseSync) {
  type Values = Parameters<StatementSync["all"]>
  return {
    close: () => database.close(),
    prepare(sql: string) {
      const statement = database.prepare(sql)
      const reader = statement.columns().length > 0
      return {
        reader,
        all: (parameters: readonly unknown[]) => statement.all(...(parameters as Values)),
        run: (parameters: readonly unknown[]) => statement.run(...(parameters as Values)),
        iterate: (parameters: readonly unknown[]) =>
          statement.iterate(...(parameters as Values)) as IterableIterator<unknown>,
      }
    },
  }
}
