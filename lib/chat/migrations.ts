import { setTimeout as delay } from "node:timers/promises"
import { type Kysely, sql } from "kysely"
import { type Migration, Migrator } from "kysely/migration"
import { isRealtimeError, RealtimeError } from "throughline"

/** In order, never changed once released; a new one is added at the end. */
const migrationsFor = ({ isPostgres }: MigrateOptions): Record<string, Migration> => ({
  "2026-11-23-rooms": {
    async up(database: Kysely<unknown>) {
      await database.schema
        .createTable("rooms")
        .addColumn("id", "text", (column) => column.primaryKey())
        .addColumn("name", "text", (column) => column.notNull())
        .addColumn("is_private", "integer", (column) => column.notNull())
        .addColumn("owner_id", "text")
        .addColumn("created_at", "bigint", (column) => column.notNull())
        .execute()
      await database.schema
        .createTable("members")
        .addColumn("room_id", "text", (column) => column.notNull().references("rooms.id").onDelete("cascade"))
        .addColumn("user_id", "text", (column) => column.notNull())
        .addColumn("user_name", "text", (column) => column.notNull())
        .addColumn("joined_at", "bigint", (column) => column.notNull())
        .addPrimaryKeyConstraint("members_key", ["room_id", "user_id"])
        .execute()
      await database.schema.createIndex("members_by_user").on("members").column("user_id").execute()
      await database.schema
        .createTable("invitations")
        .addColumn("token_hash", "text", (column) => column.primaryKey())
        .addColumn("room_id", "text", (column) => column.notNull().references("rooms.id").onDelete("cascade"))
        .addColumn("created_by", "text", (column) => column.notNull())
        .addColumn("created_at", "bigint", (column) => column.notNull())
        .execute()
    },
  },
  "2026-11-24-presence": {
    async up(database: Kysely<unknown>) {
      await database.schema
        .createTable("presence")
        .addColumn("provider", "text", (column) => column.notNull())
        .addColumn("channel", "text", (column) => column.notNull())
        .addColumn("connection", "text", (column) => column.notNull())
        .addColumn("user_id", "text", (column) => column.notNull())
        .addColumn("is_present", "integer", (column) => column.notNull())
        .addColumn("at", "bigint", (column) => column.notNull())
        .addPrimaryKeyConstraint("presence_key", ["channel", "provider", "connection"])
        .execute()
    },
  },
  "2026-11-25-limits": {
    async up(database: Kysely<unknown>) {
      // SQLite is one machine's, whose processes count in memory.
      if (!isPostgres) return
      // Unlogged: it is written with each request and may be forgotten in a crash. The columns are rate-limiter-flexible's.
      await sql`CREATE UNLOGGED TABLE limits (key varchar(255) PRIMARY KEY, points integer NOT NULL, expire bigint)`.execute(
        database,
      )
    },
  },
  "2026-11-26-message-index": {
    async up(database: Kysely<unknown>) {
      const run = (statement: string) => sql.raw(statement).execute(database)
      // SQLite's full-text table knows its rows by a number, which only a column of its own keeps for good.
      await run(`CREATE TABLE message_index (
        ${isPostgres ? "" : "number integer PRIMARY KEY,"}
        room_id text NOT NULL, seq bigint NOT NULL, id text NOT NULL,
        author_id text NOT NULL, author_name text NOT NULL, at bigint NOT NULL, text text NOT NULL,
        is_deleted integer NOT NULL, deleted_by text, reply_author text,
        words ${isPostgres ? "tsvector" : "text"},
        UNIQUE (room_id, seq), UNIQUE (room_id, id)
      )`)
      await run(`CREATE TABLE message_mentions (
        user_id text NOT NULL, room_id text NOT NULL, seq bigint NOT NULL, PRIMARY KEY (user_id, room_id, seq)
      )`)
      await run("CREATE INDEX message_mentions_by_place ON message_mentions (room_id, seq)")
      await run(`CREATE TABLE message_index_cursors (
        room_id text PRIMARY KEY, epoch text NOT NULL, seq bigint NOT NULL, first bigint NOT NULL, version bigint NOT NULL
      )`)
      await run(`CREATE TABLE read_positions (
        user_id text NOT NULL, room_id text NOT NULL, seq bigint NOT NULL, PRIMARY KEY (user_id, room_id)
      )`)
      if (isPostgres) {
        await run("CREATE INDEX message_index_words ON message_index USING gin (words)")
        return
      }
      // The tokens are ours, of letters and digits: this tokenizer only parts them at their spaces.
      await run(`CREATE VIRTUAL TABLE message_words USING fts5(
        words, content='', contentless_delete=1, tokenize="ascii tokenchars ':'"
      )`)
      // Whatever changes the rows, what is found follows.
      await run(`CREATE TRIGGER message_index_added AFTER INSERT ON message_index WHEN new.words IS NOT NULL BEGIN
        INSERT INTO message_words (rowid, words) VALUES (new.number, new.words);
      END`)
      await run(`CREATE TRIGGER message_index_changed AFTER UPDATE OF words ON message_index BEGIN
        DELETE FROM message_words WHERE rowid = old.number;
        INSERT INTO message_words (rowid, words) SELECT new.number, new.words WHERE new.words IS NOT NULL;
      END`)
      await run(`CREATE TRIGGER message_index_removed AFTER DELETE ON message_index BEGIN
        DELETE FROM message_words WHERE rowid = old.number;
      END`)
    },
  },
  "2026-11-27-files": {
    async up(database: Kysely<unknown>) {
      const run = (statement: string) => sql.raw(statement).execute(database)
      await run(`CREATE TABLE files (
        id text PRIMARY KEY, room_id text NOT NULL, uploader_id text NOT NULL, message_id text,
        state text NOT NULL, at bigint NOT NULL,
        name text NOT NULL, size bigint NOT NULL, type text NOT NULL, width integer, height integer,
        thumbnail_size integer NOT NULL
      )`)
      await run("CREATE INDEX files_by_state ON files (state, at)")
      await run("CREATE INDEX files_by_message ON files (room_id, message_id)")
      await run("CREATE INDEX files_by_uploader ON files (uploader_id)")
      // Those whose files are to go are few among all messages.
      await run("CREATE INDEX message_index_deleted ON message_index (room_id, id) WHERE is_deleted = 1")
    },
  },
  "2026-11-29-message-index-marks": {
    async up(database: Kysely<unknown>) {
      await database.schema.alterTable("message_index_cursors").addColumn("mark", "text").execute()
      await database.schema.alterTable("message_index_cursors").addColumn("mark_seq", "bigint").execute()
    },
  },
  "2026-11-29-room-activity": {
    async up(database: Kysely<unknown>) {
      const run = (statement: string) => sql.raw(statement).execute(database)
      await run("ALTER TABLE rooms ADD COLUMN active_at bigint NOT NULL DEFAULT 0")
      await run(`UPDATE rooms SET active_at = coalesce(
        (SELECT max(at) FROM message_index WHERE message_index.room_id = rooms.id), created_at
      )`)
      await run("CREATE INDEX rooms_by_activity ON rooms (is_private, active_at, id)")
    },
  },
  "2026-11-29-room-invitations": {
    async up(database: Kysely<unknown>) {
      await sql.raw("CREATE INDEX invitations_by_room ON invitations (room_id)").execute(database)
      await sql.raw("CREATE INDEX invitations_by_age ON invitations (created_at)").execute(database)
    },
  },
  "2026-11-29-session-ends": {
    async up(database: Kysely<unknown>) {
      const run = (statement: string) => sql.raw(statement).execute(database)
      await run("CREATE TABLE departed_guests (user_id text PRIMARY KEY, left_at bigint NOT NULL)")
      await run("CREATE INDEX departed_guests_by_time ON departed_guests (left_at)")
    },
  },
  "2026-11-30-device-links": {
    async up(database: Kysely<unknown>) {
      const run = (statement: string) => sql.raw(statement).execute(database)
      await run(`CREATE TABLE device_links (
        user_id text PRIMARY KEY, user_name text NOT NULL, token_hash text NOT NULL, made_at bigint NOT NULL
      )`)
      await run("CREATE UNIQUE INDEX device_links_by_token ON device_links (token_hash)")
      await run("CREATE INDEX device_links_by_age ON device_links (made_at)")
    },
  },
  "2026-11-30-room-announcements": {
    async up(database: Kysely<unknown>) {
      const run = (statement: string) => sql.raw(statement).execute(database)
      await run(`CREATE TABLE announcements (
        id text PRIMARY KEY, room_id text NOT NULL, user_id text NOT NULL, user_name text NOT NULL,
        event text NOT NULL, payload text NOT NULL
      )`)
      await run("CREATE INDEX announcements_by_room ON announcements (room_id, id)")
      await run("CREATE INDEX announcements_by_user ON announcements (user_id)")
    },
  },
  "2026-11-30-rooms-end": {
    async up(database: Kysely<unknown>) {
      await sql
        .raw("CREATE TABLE deleted_rooms (room_id text PRIMARY KEY, deleted_at bigint NOT NULL)")
        .execute(database)
    },
  },
  "2026-12-01-guest-names": {
    async up(database: Kysely<unknown>) {
      await sql
        .raw("CREATE TABLE guest_names (user_id text PRIMARY KEY, name text NOT NULL)")
        .execute(database)
    },
  },
  "2026-12-01-kept-out": {
    async up(database: Kysely<unknown>) {
      const run = (statement: string) => sql.raw(statement).execute(database)
      await run(`CREATE TABLE kept_out (
        room_id text NOT NULL, user_id text NOT NULL, user_name text NOT NULL, since bigint NOT NULL,
        PRIMARY KEY (room_id, user_id)
      )`)
      await run("CREATE INDEX kept_out_by_user ON kept_out (user_id)")
    },
  },
})

interface MigrateOptions {
  isPostgres: boolean
}

/**
 * Brings the tables to this code's version. In PostgreSQL processes that start together take turns by a lock; SQLite
 * has none that lasts, so the one that came second fails, and finds everything done when it looks again. Rejects with
 * `invalid-config` where a later release has changed the tables, for this one can't know what they mean by now.
 */
export async function migrate<Tables>(
  database: Kysely<Tables>,
  options: MigrateOptions,
  attempts = 5,
): Promise<void> {
  const migrations = migrationsFor(options)
  const migrator = new Migrator({
    db: database,
    provider: { getMigrations: async () => migrations },
    migrationTableName: "chat_migrations",
    migrationLockTableName: "chat_migrations_lock",
  })
  const { error, results } = await migrator.migrateToLatest()
  if (!error) return
  const unknown = (await namesOfDone(database)).filter((name) => !Object.hasOwn(migrations, name))
  if (unknown.length > 0) {
    const message = `unable to open the chat's database; a later release has changed its tables (${unknown.join(", ")}): start that one, or put back a copy from before it`
    throw new RealtimeError("invalid-config", { message })
  }
  if (attempts <= 1) throw toFailure(error, results?.find(({ status }) => status === "Error")?.migrationName)
  await delay(50 + Math.random() * 200)
  await migrate(database, options, attempts - 1)
}

async function namesOfDone<Tables>(database: Kysely<Tables>): Promise<string[]> {
  try {
    const { rows } = await sql<{ name: string }>`SELECT name FROM chat_migrations`.execute(database)
    return rows.map(({ name }) => name)
  } catch {
    // What the migrator said stands for this, too: without a database, or a first table, there is nothing to ask.
    return []
  }
}

/** One line for whoever starts it, in place of a stack. That the database can't be used now says so already. */
function toFailure(error: unknown, name: string | undefined): RealtimeError {
  if (isRealtimeError(error)) return error
  const step = name ? `"${name}"` : "a step"
  const reason = error instanceof Error ? error.message : String(error)
  return new RealtimeError("internal", {
    message: `unable to bring the chat's tables up to date; ${step} failed: ${reason}`,
    cause: error,
  })
}
