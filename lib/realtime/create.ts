import { join } from "node:path"
import { RateLimiterMemory, RateLimiterRes } from "rate-limiter-flexible"
import { RealtimeError, type User } from "#realtime"
import type { MessageLog } from "#realtime/log/message-log"
import { createRealtime, type Realtime, type RealtimePublisher } from "#realtime/server"
import { createAuthorize } from "../chat/access.ts"
import { type ChatChannels, chatChannels } from "../chat/channels.ts"
import { type Database, openDatabase } from "../chat/database.ts"
import { createPresenceCounts } from "../chat/presence-counts.ts"
import { createRooms, ensureLobby, type Rooms } from "../chat/rooms.ts"
import { identifyRequest, sessionOptions } from "../chat/session.ts"
import type { Env } from "../env/schema.ts"

export interface Chat {
  realtime: Realtime<ChatChannels>
  rooms: Rooms
  close(): Promise<void>
}

/** The chat's server half, as Next.js and the gateway both run it: the realtime layer over the chat's own rules. */
export async function createChat({
  env,
  publishers,
}: {
  env: Env
  publishers: RealtimePublisher[]
}): Promise<Chat> {
  const database: Database = await openDatabase({ databaseUrl: env.DATABASE_URL, dataDir: env.DATA_DIR })
  await ensureLobby(database)
  const rooms = createRooms(database)
  const log = await createLog(env)
  const session = sessionOptions({ secret: env.SESSION_SECRET, isProduction: env.isProduction })
  const realtime = createRealtime({
    channels: chatChannels,
    identify: (request) => identifyRequest(request, session),
    authorize: createAuthorize(rooms),
    log,
    publishers,
    limit: createLimit(),
    presenceCounts: createPresenceCounts(database),
  })
  const stopTrimming = keepTrimmed(log, env)
  return {
    realtime,
    rooms,
    async close() {
      stopTrimming()
      await realtime.close()
      await database.destroy()
    },
  }
}

/** Only the log in use is loaded: a function on PostgreSQL has no use for SQLite, and the other way round. */
async function createLog(env: Env): Promise<MessageLog> {
  if (env.DATABASE_URL) {
    const { createPostgresLog } = await import("#realtime/log/postgres")
    return createPostgresLog({ connectionString: env.DATABASE_URL })
  }
  const { createSqliteLog } = await import("#realtime/log/sqlite")
  return createSqliteLog({ path: join(env.DATA_DIR, "realtime.db") })
}

/** What one person may do: a burst of talk is fine, a flood isn't. */
function createLimit() {
  const limiters = {
    publish: new RateLimiterMemory({ points: 100, duration: 10 }),
    signal: new RateLimiterMemory({ points: 100, duration: 10 }),
  }
  return async (user: User, action: "publish" | "signal", count: number): Promise<void> => {
    try {
      await limiters[action].consume(user.id, count)
    } catch (refusal) {
      if (!(refusal instanceof RateLimiterRes)) throw refusal
      throw new RealtimeError("rate-limited", {
        message: `unable to ${action} so much at once`,
        retryAfterMs: Math.max(refusal.msBeforeNext, 100),
      })
    }
  }
}

const trimEveryMs = 10 * 60 * 1000

/** Applies the configured retention now and then, for as long as the process lives. */
function keepTrimmed(log: MessageLog, env: Env): () => void {
  const { LOG_RETENTION_DAYS: days, LOG_RETENTION_MESSAGES: maxMessagesPerChannel } = env
  if (days === undefined && maxMessagesPerChannel === undefined) return () => {}
  const trim = () => {
    log
      .trim({ maxAgeMs: days === undefined ? undefined : days * 86_400_000, maxMessagesPerChannel })
      .catch((error: unknown) => console.error("[chat] retention:", error))
  }
  const timer = setInterval(trim, trimEveryMs).unref()
  trim()
  return () => clearInterval(timer)
}
