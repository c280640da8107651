import { statSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { openDatabase, openPool } from "#lib/chat/database.ts"
import { erasePerson } from "#lib/chat/erase.ts"
import { createGuests } from "#lib/chat/guests.ts"
import { createMessageIndex } from "#lib/chat/message-index.ts"
import { createRooms } from "#lib/chat/rooms.ts"
import { fileStoreOf } from "#lib/files/create-file-store.ts"
import { createFiles } from "#lib/files/files.ts"
import { createFileRegister } from "#lib/files/register.ts"
import { createLog } from "#lib/realtime/log.ts"
import { besideApp, createPublishers } from "#lib/realtime/publishers.ts"
import { createRetention } from "#lib/realtime/retention.ts"
import { loadServerEnv } from "./env.ts"
import { revokeEverywhere } from "./revoke-everywhere.ts"

/**
 * `npm run data -- …`, beside servers that run or without them:
 *
 * - `retention` removes now what `LOG_RETENTION_DAYS` and `LOG_RETENTION_MESSAGES` no longer keep, and files that nobody can see;
 * - `compact` gives the disk back what SQLite's files no longer need, which `retention` and `erase` leave to them;
 * - `sign-out USER_ID` ends a person's sessions and what they have open, as they could themselves;
 * - `erase USER_ID` does that, and takes the person out of the log, the chat's tables and the file store;
 * - `restored` after a backup was put back: readers start over in place of trusting a head that was passed before.
 */
const [command = "", userId = ""] = process.argv.slice(2)
const usage = "npm run data -- retention | compact | sign-out USER_ID | erase USER_ID | restored"

const env = loadServerEnv({ dev: process.env.NODE_ENV !== "production" })
const pool = env.DATABASE_URL ? openPool(env.DATABASE_URL, { max: 2 }) : undefined
const log = await createLog(env, pool)
const database = await openDatabase({ pool, dataDir: env.DATA_DIR })
const rooms = createRooms(database)
const files = createFiles({
  ...{ register: createFileRegister(database), store: fileStoreOf(env), rooms },
  // Whoever runs this sends nothing.
  limits: { takeOf: async () => {} },
})

const commands: Record<string, () => Promise<string>> = {
  async retention() {
    const removed = await createRetention({ log, rooms, files, env })()
    return `${removed.messages} messages and ${removed.files} files removed`
  },
  async compact() {
    if (pool) return "PostgreSQL does it by itself (autovacuum)"
    return ["realtime.db", "chat.db"].map((name) => compactSqlite(join(env.DATA_DIR, name))).join("\n")
  },
  async "sign-out"() {
    if (!userId) throw new TypeError(usage)
    return endSessions()
  },
  async erase() {
    if (!userId) throw new TypeError(usage)
    // First: whoever is being erased writes nothing meanwhile.
    const ended = await endSessions()
    const index = createMessageIndex({ database, isPostgres: pool !== undefined, log })
    const messages = await erasePerson({ database, log, index, rooms }, userId)
    // Last: a file that can't be removed now keeps nothing else.
    const removed = await files.forget(userId)
    const rest = "the person's memberships, invitations and presence, and what rooms weren't told of them yet"
    return `${messages} messages erased, ${removed} files, ${rest}; ${ended}`
  },
  restored: async () =>
    `the log lives on as ${await log.renew()}; pages start over when they next hear of it`,
}

/** The person is nobody from now on, wherever their cookie is; then their connections are ended, where there may be any. */
async function endSessions(): Promise<string> {
  await createGuests(database).leave(userId)
  const untold = await revokeEverywhere(() => createPublishers(besideApp(env)), userId)
  if (untold.length === 0) return "their sessions are ended"
  return `their sessions are ended, but a connection that is open listens on at ${untold.join(" and ")}: run this again when it can be reached`
}

/** Whoever writes meanwhile waits, to the log for five seconds, to the chat's tables for ten, and then is refused. */
function compactSqlite(path: string): string {
  using database = new DatabaseSync(path, { timeout: 60_000 })
  const before = statSync(path).size
  // While it waits for readers, it holds up writers.
  database.exec("VACUUM; PRAGMA busy_timeout = 1000")
  const isBusy = database.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get()?.busy === 1
  const megabytes = (bytes: number) => `${(bytes / 1024 ** 2).toFixed(1)} MiB`
  const rest = isBusy ? "; something still reads what was before: run it again" : ""
  return `${path}: ${megabytes(before)} before, ${megabytes(statSync(path).size)} now${rest}`
}

try {
  const run = Object.hasOwn(commands, command) ? commands[command] : undefined
  if (!run) throw new TypeError(usage)
  console.log(await run())
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
} finally {
  await log.close()
  await database.destroy()
}
