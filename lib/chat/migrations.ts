import { setTimeout as delay } from "node:timers/promises"
import type { Kysely } from "kysely"
import { type Migration, Migrator } from "kysely/migration"
import type { Tables } from "./database.ts"

/** In order, never changed once released; a new one is added at the end. */
const migrations: Record<string, Migration> = {
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
}

/**
 * Brings the tables to this code's version. In PostgreSQL processes that start together take turns by a lock; SQLite
 * has none that lasts, so the one that came second fails, and finds everything done when it looks again.
 */
export async function migrate(database: Kysely<Tables>, attempts = 5): Promise<void> {
  const migrator = new Migrator({
    db: database,
    provider: { getMigrations: async () => migrations },
    migrationTableName: "chat_migrations",
    migrationLockTableName: "chat_migrations_lock",
  })
  const { error } = await migrator.migrateToLatest()
  if (!error) return
  if (attempts <= 1) throw error
  await delay(50 + Math.random() * 200)
  await migrate(database, attempts - 1)
}
