import { randomUUID } from "node:crypto"
import { inspect } from "node:util"
import { Client, Pool } from "pg"
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest"
import { findPostgres, startPostgres, type TestPostgres } from "../testing/postgres.ts"
import { waitFor } from "../testing/wait-for.ts"
import type { LogEntry, MessageLog } from "./message-log.ts"
import { createPostgresLog, type PostgresLogOptions } from "./postgres.ts"

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const entry = (channel = "a"): LogEntry => ({
  id: randomUUID(),
  channel,
  event: "said",
  payload: null,
  from: null,
})
const range = (count: number) => Array.from({ length: count }, (_, index) => index + 1)

async function readAll(log: MessageLog, channel = "a") {
  const { messages } = await log.readAfter(channel, 0, 1_000_000)
  return messages
}

let schemas = 0
function freshSchema(): string {
  schemas += 1
  return `log_${schemas}`
}

function openLog(options: PostgresLogOptions): MessageLog & AsyncDisposable {
  const log = createPostgresLog(options)
  return { ...log, [Symbol.asyncDispose]: () => log.close() }
}

async function connect(connectionString: string): Promise<Client & AsyncDisposable> {
  const client = new Client({ connectionString })
  await client.connect()
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() })
}

const isMissing = !findPostgres()

describe.skipIf(isMissing)(
  isMissing ? "the log in postgres (skipped: PostgreSQL not found)" : "the log in postgres",
  () => {
    let postgres: TestPostgres
    /** Of the server's administrator. */
    let connectionString: string

    beforeAll(async () => {
      postgres = await startPostgres({ settings: { deadlock_timeout: "20ms" } })
      connectionString = postgres.connectionString
    })
    afterAll(() => postgres[Symbol.asyncDispose]())

    /** The same server with other parameters of the connection, as `options` of libpq. */
    const withSettings = (settings: string) => `${connectionString}&options=${encodeURIComponent(settings)}`

    /** Resolves when somebody waits for a lock. */
    const lockAwaited = (client: Client) =>
      waitFor(async () => {
        const { rowCount } = await client.query("SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        return rowCount
      }, "a lock that is waited for")

    describe("when PostgreSQL goes away and comes back", () => {
      it("keeps what it acknowledged, once, and goes on by itself", async () => {
        await using log = openLog({ connectionString, schema: freshSchema() })
        const acknowledged = new Map<number, string>()
        let failures = 0
        let isOver = false

        async function appendUntilAcknowledged(message: LogEntry): Promise<void> {
          try {
            const [result] = await log.append([message])
            if (result) acknowledged.set(result.seq, result.id)
          } catch (error) {
            expect(error).toMatchObject({ code: "log-unavailable", retryable: true })
            failures += 1
            await new Promise((resolve) => setTimeout(resolve, 5))
            await appendUntilAcknowledged(message)
          }
        }
        async function write(): Promise<void> {
          while (!isOver) await appendUntilAcknowledged(entry())
        }

        const writing = Promise.all([write(), write(), write()])
        await waitFor(() => acknowledged.size > 30, "messages before")
        await postgres.stop()
        await waitFor(() => failures > 3, "failures")
        const reason = () => log.heads(["a"]).then(() => null, String)
        // Until the last idle connection has noticed, the reason is that it broke.
        await waitFor(
          async () => (await reason())?.includes("nothing answers at PostgreSQL's socket"),
          "the reason",
        )
        await postgres.start()
        const before = acknowledged.size
        await waitFor(() => acknowledged.size > before + 30, "messages after")
        isOver = true
        await writing
        const messages = await readAll(log)
        expect(messages.map(({ seq }) => seq)).toEqual(range(messages.length))
        expect(new Map(messages.map(({ seq, id }) => [seq, id]))).toEqual(
          new Map([...acknowledged].sort(([a], [b]) => a - b)),
        )
      })

      it("survives the loss of idle connections, of its own pool and of the application's", async () => {
        const pool = new Pool({ connectionString })
        const schema = freshSchema()
        await using own = openLog({ connectionString, schema })
        const handed = openLog({ pool, schema })
        await own.append([entry()])
        await handed.append([entry()])
        await postgres.stop()
        await waitFor(() => pool.totalCount === 0, "the pool to notice")
        await postgres.start()
        expect(await own.append([entry()])).toMatchObject([{ seq: 3 }])
        expect(await handed.append([entry()])).toMatchObject([{ seq: 4 }])
        await handed.close()
        expect((await pool.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }])
        await pool.end()
      })

      it("closes while it is away", async () => {
        const log = openLog({ connectionString, schema: freshSchema() })
        await log.heads([])
        await postgres.stop()
        await log.close()
        await postgres.start()
      })

      it("survives the loss of a connection between two statements", async () => {
        await using log = openLog({ connectionString, schema: freshSchema() })
        await log.append(range(10).map(() => entry()))
        await using admin = await connect(connectionString)
        const query = Client.prototype.query as (this: Client, ...parameters: unknown[]) => Promise<unknown>
        const losing = vi.spyOn(Client.prototype, "query").mockImplementation(function (
          this: Client,
          ...parameters: unknown[]
        ) {
          const running = query.apply(this, parameters)
          if (!String(parameters[0]).startsWith("BEGIN")) return running
          return running.then(async () => {
            // Not `once` of node:events: that listens for errors too.
            const ended = new Promise<void>((resolve) => this.once("end", resolve))
            await admin.query(
              "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle in transaction'",
            )
            await ended
          })
        })
        try {
          await expect(log.trim({ maxMessagesPerChannel: 5 })).rejects.toMatchObject({
            code: "log-unavailable",
          })
        } finally {
          losing.mockRestore()
        }
        expect(await log.trim({ maxMessagesPerChannel: 5 })).toBe(5)
      })

      it("makes its tables again when they are gone", async () => {
        const schema = freshSchema()
        await using log = openLog({ connectionString, schema })
        const [before] = await log.append([entry()])
        await using client = await connect(connectionString)
        await client.query(`DROP SCHEMA ${schema} CASCADE`)
        await expect(log.append([entry()])).rejects.toMatchObject({ code: "log-unavailable" })
        const [after] = await log.append([entry()])
        expect(after?.seq).toBe(1)
        expect(after?.epoch).not.toBe(before?.epoch)
      })
    })

    describe("among many writers", () => {
      it("never deadlocks, whatever the order of the channels and whether they exist", async () => {
        const schema = freshSchema()
        await using stack = new AsyncDisposableStack()
        const logs = range(3).map(() => stack.use(openLog({ connectionString, schema })))
        await logs[0]?.heads([])
        await using client = await connect(connectionString)
        const deadlocks = async () => {
          const { rows } = await client.query("SELECT sum(deadlocks) AS count FROM pg_stat_database")
          return Number(rows[0]?.count)
        }
        const before = await deadlocks()
        await Promise.all(
          range(120).map((turn) => {
            // Two groups each meet on channels that are new, and all of them on those that exist.
            const fresh = range(4).map((number) => `new:${turn >> 1}:${number}`)
            const channels = [...fresh, ...range(6).map((number) => `old:${number}`)]
            return logs[turn % 3]?.append(
              (turn % 2 ? channels : channels.toReversed()).map((channel) => entry(channel)),
            )
          }),
        )
        const heads = await logs[0]?.heads(["old:1", "old:6", "new:1:1", "new:59:4"])
        expect(heads?.map(({ seq }) => seq)).toEqual([120, 120, 2, 2])
        await stack.disposeAsync()
        expect(await deadlocks()).toBe(before)
      })

      it("holds up only those of the same channel", async () => {
        const schema = freshSchema()
        await using log = openLog({ connectionString, schema })
        await log.append([entry("a"), entry("b")])
        await using client = await connect(connectionString)
        await client.query(`BEGIN; UPDATE ${schema}.log_channels SET at = at WHERE name = 'a'`)
        const held = log.append([entry("a")])
        await using observer = await connect(connectionString)
        await lockAwaited(observer)
        expect(await log.append([entry("b")])).toMatchObject([{ seq: 2 }])
        expect((await readAll(log)).length).toBe(1)
        await client.query("COMMIT")
        expect(await held).toMatchObject([{ seq: 2 }])
      })

      it("tries again when its transaction lost against another one", async () => {
        const schema = freshSchema()
        await using log = openLog({
          connectionString: withSettings("-c default_transaction_isolation=serializable"),
          schema,
        })
        await log.append([entry()])
        await using client = await connect(connectionString)
        await client.query(
          `BEGIN; UPDATE ${schema}.log_channels SET at = at + 1000000000000 WHERE name = 'a'`,
        )
        const lost = log.append([entry()])
        await using observer = await connect(connectionString)
        await lockAwaited(observer)
        await client.query("COMMIT")
        const [result] = await lost
        expect(result?.seq).toBe(2)
        expect(result?.at).toBeGreaterThan(1_000_000_000_000)
      })

      it("never undoes what another one trimmed meanwhile", async () => {
        const schema = freshSchema()
        await using log = openLog({ connectionString, schema })
        await log.append(range(10).map(() => entry()))
        await using client = await connect(connectionString)
        await client.query(
          `BEGIN; UPDATE ${schema}.log_channels SET first = 8; DELETE FROM ${schema}.log_messages WHERE seq < 8`,
        )
        const trimming = log.trim({ maxMessagesPerChannel: 5 })
        await using observer = await connect(connectionString)
        await lockAwaited(observer)
        await client.query("COMMIT")
        expect(await trimming).toBe(0)
        expect(await log.heads(["a"])).toMatchObject([{ seq: 10, first: 8 }])
      })

      it("needs nothing of a session, as behind a transaction pooler", async () => {
        // Each transaction on a connection of its own.
        const pool = new Pool({ connectionString, maxUses: 1, max: 4 })
        const log = openLog({ pool, schema: freshSchema() })
        const group = range(20).map(() => entry())
        await Promise.all(group.map((message) => log.append([message])))
        expect((await log.append(group)).every(({ isDuplicate }) => isDuplicate)).toBe(true)
        expect(await log.trim({ maxMessagesPerChannel: 5 })).toBe(15)
        expect((await readAll(log)).map(({ seq }) => seq)).toEqual([16, 17, 18, 19, 20])
        await log.close()
        await pool.end()
      })

      it("appends a group in one round trip", async () => {
        const pool = new Pool({ connectionString })
        const log = openLog({ pool, schema: freshSchema() })
        await log.heads([])
        const query = vi.spyOn(Client.prototype, "query")
        await log.append([...range(50).map(() => entry("a")), ...range(50).map(() => entry("b"))])
        expect(query).toHaveBeenCalledTimes(1)
        query.mockRestore()
        await log.close()
        await pool.end()
      })
    })

    it("tells a new epoch at once when it was given one, as after restoring a backup", async () => {
      const schema = freshSchema()
      await using log = openLog({ connectionString, schema })
      await log.append([entry()])
      await using client = await connect(connectionString)
      await client.query(`UPDATE ${schema}.log_meta SET epoch = gen_random_uuid()`)
      const { rows } = await client.query(`SELECT epoch FROM ${schema}.log_meta`)
      const epoch = String(rows[0]?.epoch)
      expect(await log.append([entry()])).toMatchObject([{ seq: 2, epoch }])
      expect(await log.heads(["a", "b"])).toMatchObject([{ epoch }, { epoch }])
      expect((await readAll(log)).map((message) => message.epoch)).toEqual([epoch, epoch])
    })

    it("takes the time from the database, so that servers agree on it", async () => {
      await using log = openLog({ connectionString, schema: freshSchema() })
      await using client = await connect(connectionString)
      const time = async () => {
        const { rows } = await client.query("SELECT extract(epoch FROM clock_timestamp()) * 1000 AS now")
        return Math.floor(Number(rows[0]?.now))
      }
      vi.useFakeTimers({ toFake: ["Date"], now: 0 })
      try {
        const before = await time()
        const [result] = await log.append([entry()])
        expect(result?.at).toBeGreaterThanOrEqual(before)
        expect(result?.at).toBeLessThanOrEqual(await time())
        await waitFor(async () => (await time()) > (result?.at ?? 0) + 5, "the message to be old")
        expect(await log.trim({ maxAgeMs: 60_000 })).toBe(0)
        expect(await log.trim({ maxAgeMs: 2 })).toBe(1)
      } finally {
        vi.useRealTimers()
      }
    })

    describe("migrates", () => {
      it("once, and makes one epoch, when several processes start at the same time", async () => {
        const schema = freshSchema()
        await using stack = new AsyncDisposableStack()
        const logs = range(6).map(() => stack.use(openLog({ connectionString, schema })))
        const heads = await Promise.all(logs.map((log) => log.heads(["a"])))
        expect(new Set(heads.map(([head]) => head?.epoch)).size).toBe(1)
        await using client = await connect(connectionString)
        expect((await client.query(`SELECT version FROM ${schema}.log_meta`)).rows).toEqual([{ version: 3 }])
      })

      it("what a release without snapshots left, and leaves what it calls while both run", async () => {
        const schema = freshSchema()
        await using before = openLog({ connectionString, schema })
        await before.append([entry(), entry()])
        await using client = await connect(connectionString)
        await client.query(
          `UPDATE ${schema}.log_meta SET version = 2; DROP TABLE ${schema}.log_snapshots;
           ALTER TABLE ${schema}.log_channels DROP COLUMN snapshot, DROP COLUMN kept_from`,
        )
        expect(await before.append([entry()])).toMatchObject([{ seq: 3 }])
        await using log = openLog({ connectionString, schema })
        const [head] = await log.heads(["a"])
        const snapshot = { epoch: head?.epoch ?? "", upTo: 2, ifUpTo: 0, bytes: new Uint8Array([1]) }
        expect(await log.snapshots?.write("a", snapshot)).toMatchObject({ isWritten: true })
        expect(await before.append([entry()])).toMatchObject([{ seq: 4 }])
        expect(await log.trim({ covered: true })).toBe(0)
        expect(await readAll(log)).toHaveLength(4)
      })

      it("only when there is something to migrate: a standby can be read", async () => {
        const schema = freshSchema()
        await using log = openLog({ connectionString, schema })
        await log.append([entry()])
        await using standby = openLog({
          connectionString: withSettings("-c default_transaction_read_only=on"),
          schema,
        })
        expect(await readAll(standby)).toHaveLength(1)
        await expect(standby.append([entry()])).rejects.toThrow("PostgreSQL is read-only")
      })

      it("never what a later release has migrated", async () => {
        const schema = freshSchema()
        await using log = openLog({ connectionString, schema })
        await log.append([entry()])
        await using client = await connect(connectionString)
        await client.query(`UPDATE ${schema}.log_meta SET version = 99`)
        await using later = openLog({ connectionString, schema })
        await expect(later.append([entry()])).rejects.toMatchObject({
          code: "invalid-config",
          retryable: false,
        })
        await expect(later.heads([])).rejects.toThrow(
          "its tables are of version 99 and this release knows up to 3",
        )
      })

      it("never stops one that was running when a later release took them further", async () => {
        const schema = freshSchema()
        await using log = openLog({ connectionString, schema })
        await log.append([entry()])
        await using client = await connect(connectionString)
        await client.query(
          `UPDATE ${schema}.log_meta SET version = 99; ALTER TABLE ${schema}.log_channels ADD COLUMN colour text`,
        )
        // Whatever fails makes it look at its tables again.
        await client.query(`ALTER TABLE ${schema}.log_channels RENAME TO away`)
        await expect(log.append([entry()])).rejects.toMatchObject({ code: "log-unavailable" })
        await client.query(`ALTER TABLE ${schema}.away RENAME TO log_channels`)
        expect(await log.append([entry()])).toMatchObject([{ seq: 2 }])
      })

      it("in a schema that an administrator made, with no right to make one", async () => {
        const schema = freshSchema()
        await using client = await connect(connectionString)
        await client.query(
          `CREATE USER tenant PASSWORD 'canary-password'; CREATE SCHEMA ${schema} AUTHORIZATION tenant`,
        )
        const tenant = connectionString.replace("//throughline:", "//tenant:")
        await using log = openLog({ connectionString: tenant, schema })
        expect(await log.append([entry()])).toMatchObject([{ seq: 1 }])
        const later = freshSchema()
        await using elsewhere = openLog({ connectionString: tenant, schema: later })
        await expect(elsewhere.append([entry()])).rejects.toThrow(
          "unable to append; the database user lacks a right that the log needs",
        )
        await client.query(`CREATE SCHEMA ${later} AUTHORIZATION tenant`)
        expect(await elsewhere.append([entry()])).toMatchObject([{ seq: 1 }])
      })
    })

    describe("says what is wrong and no secret", () => {
      const cases: {
        what: string
        change(connectionString: string): string
        message: string
        code?: string
      }[] = [
        {
          what: "a wrong password",
          change: (right) => right.replace("canary-password", "canary-wrong"),
          message: "PostgreSQL refused the credentials",
        },
        {
          what: "no such database",
          change: (right) => right.replace("/postgres?", "/nowhere?"),
          message: "PostgreSQL has no such database",
        },
        {
          what: "a port where nothing listens",
          change: () => "postgres://throughline:canary-password@127.0.0.1:9/postgres",
          message: "nothing answers at PostgreSQL's address",
        },
        {
          what: "a read-only standby",
          change: (right) => `${right}&options=${encodeURIComponent("-c default_transaction_read_only=on")}`,
          message: "PostgreSQL is read-only (a standby, or a full disk)",
        },
        {
          what: "a malformed address",
          change: () => "postgres://throughline:canary-password@[nowhere/postgres",
          message: "the connection string of PostgreSQL is malformed",
          code: "invalid-config",
        },
        {
          what: "a malformed escape",
          change: () => "postgres://throughline:canary-password@127.0.0.1/%E0",
          message: "the connection string of PostgreSQL is malformed",
          code: "invalid-config",
        },
      ]

      it("of too many connections, and goes on when one is free", async () => {
        const schema = freshSchema()
        await using client = await connect(connectionString)
        await client.query(
          `CREATE USER crowd PASSWORD 'canary-password' CONNECTION LIMIT 1; CREATE SCHEMA ${schema} AUTHORIZATION crowd`,
        )
        const crowd = connectionString.replace("//throughline:", "//crowd:")
        await using log = openLog({ connectionString: crowd, schema })
        {
          await using _ = await connect(crowd)
          const error: unknown = await log.append([entry()]).catch((reason: unknown) => reason)
          expect(error).toMatchObject({
            code: "log-unavailable",
            retryable: true,
            message: "[realtime] unable to append; PostgreSQL has too many connections",
          })
          expect(inspect(error, { depth: 8 })).not.toContain("canary")
        }
        expect(await waitFor(() => log.append([entry()]))).toMatchObject([{ seq: 1 }])
      })

      it.each(cases)("of $what", async ({ change, message, code = "log-unavailable" }) => {
        await using log = openLog({ connectionString: change(connectionString), schema: freshSchema() })
        const error: unknown = await log.append([entry()]).catch((reason: unknown) => reason)
        expect(error).toMatchObject({ code, message: `[realtime] unable to append; ${message}` })
        expect(inspect(error, { depth: 8 })).not.toContain("canary")
      })
    })
  },
)
