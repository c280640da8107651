import type { DatabaseSync, StatementSync } from "node:sqlite"
import { setTimeout as delay } from "node:timers/promises"
import {
  CompiledQuery,
  type DatabaseConnection,
  type Driver,
  SqliteDialect,
  type SqliteDialectConfig,
  SqliteDriver,
} from "kysely"
import { isLocked, unavailability } from "throughline/log/sqlite"
import { sayingWhy } from "./database-failure.ts"

/** How long to wait while another connection holds the file's lock. */
const lockTimeoutMs = 10_000

/**
 * Node's SQLite for Kysely. While another connection holds the file's lock, this one goes on with other things: that connection may be
 * this very process's own (Next.js and the gateway in one process are two bundles, each with one), whose transaction could never end
 * while SQLite waited in its stead.
 */
export function createSqliteDialect(database: DatabaseSync): SqliteDialect {
  database.exec("PRAGMA busy_timeout = 0")
  const config: SqliteDialectConfig = { database: toKyselyDatabase(database) }
  return new (class extends SqliteDialect {
    override createDriver(): Driver {
      return sayingWhy(createPatientDriver(config), unavailability)
    }
  })(config)
}

function createPatientDriver(config: SqliteDialectConfig): Driver {
  const driver = new SqliteDriver(config)
  return {
    init: () => driver.init(),
    async acquireConnection() {
      const connection = await driver.acquireConnection()
      return {
        executeQuery: (query) => patiently(() => connection.executeQuery(query)),
        streamQuery: (...parameters) => connection.streamQuery(...parameters),
      } satisfies DatabaseConnection
    },
    /** With the lock from the start: one that began by reading can't have it later, once somebody else wrote. */
    async beginTransaction(connection) {
      await connection.executeQuery(CompiledQuery.raw("BEGIN IMMEDIATE"))
    },
    commitTransaction: (connection) => driver.commitTransaction(connection),
    rollbackTransaction: (connection) => driver.rollbackTransaction(connection),
    releaseConnection: () => driver.releaseConnection(),
    destroy: () => driver.destroy(),
  }
}

async function patiently<T>(execute: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + lockTimeoutMs
  for (;;) {
    try {
      return await execute()
    } catch (error) {
      if (!isLocked(error) || performance.now() > deadline) throw error
    }
    await delay(2 + Math.random() * 10)
  }
}

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
