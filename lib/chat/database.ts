import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { type Driver, Kysely, PostgresDialect } from "kysely"
import pg, { type Pool } from "pg"
import { unavailability } from "throughline/log/postgres"
import { sayingWhy } from "./database-failure.ts"
import { migrate } from "./migrations.ts"
import { createSqliteDialect } from "./sqlite-dialect.ts"

/** The chat's own tables; what is said stands in the realtime log. */
export interface Tables {
  rooms: RoomsTable
  members: MembersTable
  kept_out: KeptOutTable
  invitations: InvitationsTable
  presence: PresenceTable
  message_index: MessageIndexTable
  message_mentions: MessageMentionsTable
  message_index_cursors: MessageIndexCursorsTable
  read_positions: ReadPositionsTable
  files: FilesTable
  departed_guests: DepartedGuestsTable
  guest_names: GuestNamesTable
  device_links: DeviceLinksTable
  announcements: AnnouncementsTable
  deleted_rooms: DeletedRoomsTable
}

interface RoomsTable {
  id: string
  name: string
  /** 1: whoever has no membership can't tell that it exists. */
  is_private: number
  owner_id: string | null
  created_at: number
  /** When something was last said in it, as far as the message index has read; at first, when it was made. */
  active_at: number
}

interface MembersTable {
  room_id: string
  user_id: string
  user_name: string
  joined_at: number
}

/** Whom a public room's owner has put out of it, and hasn't let in again. */
interface KeptOutTable {
  room_id: string
  user_id: string
  user_name: string
  since: number
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

/** What was said, as it stands now: pulled from the rooms' logs by `message-index.ts`. */
interface MessageIndexTable {
  room_id: string
  seq: number
  id: string
  /** "" where the server said it in nobody's name. */
  author_id: string
  author_name: string
  at: number
  /** As last edited; "" once deleted. */
  text: string
  is_deleted: number
  deleted_by: string | null
  /** Whose message it answers. */
  reply_author: string | null
  /** `search-tokens.ts`: a text in SQLite, a `tsvector` in PostgreSQL. Null once deleted. */
  words: string | null
}

/** Who is to be told of a message: who is mentioned in it, or answered by it. */
interface MessageMentionsTable {
  user_id: string
  room_id: string
  seq: number
}

/** How far each room's log has been read into the index. */
interface MessageIndexCursorsTable {
  room_id: string
  /** "" before the first look. */
  epoch: string
  seq: number
  /** The oldest message that was kept then. */
  first: number
  /** Of the last message that was read, where it is known; it belongs to that `seq` only, for an earlier release moves the cursor without it. */
  mark: string | null
  mark_seq: number | null
  /** Changes with every write to this room's part of the index, so that of several writers one succeeds. */
  version: number
}

/** How far each person has read in each room, in the epoch of the room's cursor. */
interface ReadPositionsTable {
  user_id: string
  room_id: string
  seq: number
}

/** What people attach; the bytes are in the file store. `lib/files/register.ts` says what the states are. */
interface FilesTable {
  id: string
  room_id: string
  uploader_id: string
  message_id: string | null
  state: string
  /** Since when it is in this state. */
  at: number
  name: string
  size: number
  type: string
  width: number | null
  height: number | null
  /** In bytes; 0 where there is none. */
  thumbnail_size: number
}

/** Who has signed out; kept for longer than any cookie of theirs may be used. */
interface DepartedGuestsTable {
  user_id: string
  left_at: number
}

/** What those are called who have changed their name since they came in; everybody else's is in their cookie. */
interface GuestNamesTable {
  user_id: string
  name: string
}

/** Of each person the newest link by which they come in on one more device. */
interface DeviceLinksTable {
  user_id: string
  user_name: string
  /** SHA-256 of the token: whoever reads the database can't come in by it. */
  token_hash: string
  made_at: number
}

/** What was done in a room and hasn't been said there yet. */
interface AnnouncementsTable {
  /** The message's, by which the log knows a repeat. */
  id: string
  room_id: string
  user_id: string
  user_name: string
  event: string
  /** JSON. */
  payload: string
}

/** Of which the log may hold something still. */
interface DeletedRoomsTable {
  room_id: string
  deleted_at: number
}

export type Database = Kysely<Tables>

export interface DatabaseOptions {
  /** PostgreSQL, ended with the database; absent: a SQLite file in `dataDir`. */
  pool?: Pool | undefined
  dataDir: string
}

/** Opens the chat's database, brought up to this code's version. Several processes may do so at once. */
export async function openDatabase({ pool, dataDir }: DatabaseOptions): Promise<Database> {
  const database = pool ? openPostgres(pool) : openSqlite(dataDir)
  await migrate(database, { isPostgres: pool !== undefined })
  return database
}

/**
 * The connections of one process, for everything that it keeps in PostgreSQL. Few: a function serves a handful of requests at a
 * time, and there may be many of it. Nothing of a session is used, so that a pooler in transaction mode may stand between.
 */
export function openPool(connectionString: string, { max = 10 }: { max?: number } = {}): Pool {
  const pool = new pg.Pool({
    ...{ connectionString, max, application_name: "throughline", keepAlive: true },
    ...{ connectionTimeoutMillis: 5_000, query_timeout: 15_000 },
  })
  // An idle connection that breaks is replaced; queries report their own failures.
  pool.on("error", () => {})
  // So does one that breaks between two queries of a transaction: the next one fails. Unheard, it would end the process.
  pool.on("connect", (client) => void client.on("error", () => {}))
  return pool
}

function openPostgres(pool: Pool): Database {
  const dialect = new (class extends PostgresDialect {
    override createDriver(): Driver {
      return sayingWhy(super.createDriver(), unavailability)
    }
  })({ pool })
  return new Kysely<Tables>({ dialect })
}

function openSqlite(dataDir: string): Database {
  mkdirSync(dataDir, { recursive: true })
  const database = new DatabaseSync(join(dataDir, "chat.db"), { timeout: 10_000 })
  database.exec("PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON")
  return new Kysely<Tables>({ dialect: createSqliteDialect(database) })
}
