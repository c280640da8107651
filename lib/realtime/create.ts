import type { Logger } from "pino"
import type { User } from "throughline"
import {
  createRealtime,
  type LimitedRequest,
  type Realtime,
  type RealtimePublisher,
} from "throughline/server"
import { type AccessOptions, createAuthorize } from "../chat/access.ts"
import { type Announcements, createAnnouncements } from "../chat/announcements.ts"
import { type ChatChannels, chatChannels, person } from "../chat/channels.ts"
import { type Database, openDatabase, openPool } from "../chat/database.ts"
import { createDeviceLinks, type DeviceLinks } from "../chat/device-links.ts"
import { createGuests, type Guests } from "../chat/guests.ts"
import { type ChatHandlers, createChatHandlers } from "../chat/handlers.ts"
import { lobbyId } from "../chat/lobby.ts"
import { createMessageIndex, type MessageIndex } from "../chat/message-index.ts"
import { createPresenceCounts } from "../chat/presence-counts.ts"
import { createReadPositions, type ReadPositions } from "../chat/read-positions.ts"
import { withRoomBell } from "../chat/room-bell.ts"
import { createRooms, ensureLobby, type Rooms } from "../chat/rooms.ts"
import { createSearch } from "../chat/search.ts"
import { identifyRequest, sessionOptions } from "../chat/session.ts"
import type { Env } from "../env/schema.ts"
import { fileStoreOf } from "../files/create-file-store.ts"
import { createFiles } from "../files/files.ts"
import { createFileHandlers, type FileHandlers } from "../files/handlers.ts"
import { createFileRegister } from "../files/register.ts"
import type { Part } from "../operations/pages.ts"
import { openProcessLog } from "../operations/process-log.ts"
import { currentRequest } from "../operations/request-context.ts"
import { createLimits, type Limits } from "../security/limits.ts"
import { followBy, followLog, followPublishers } from "../tracing/follow.ts"
import { serverTracing } from "../tracing/server.ts"
import { createLog } from "./log.ts"
import { createRetention, keepRetention, type Removed } from "./retention.ts"

export interface Chat {
  realtime: Realtime<ChatChannels>
  rooms: Rooms
  guests: Guests
  deviceLinks: DeviceLinks
  announcements: Announcements
  /** Who sent a request, for routes that aren't among the handlers. */
  identify(request: Request): Promise<User | null>
  readPositions: ReadPositions
  messageIndex: MessageIndex
  /** The chat's own routes, under `app/api/chat/`. */
  handlers: ChatHandlers
  /** Those under `app/api/chat/files/`. */
  fileHandlers: FileHandlers
  limits: Limits
  /** What has to answer for `/api/ready`. */
  parts: readonly Part[]
  /** What the chat's rules ask. */
  access: AccessOptions
  /** Takes what was said in deleted rooms out of the log, meanwhile. */
  clearRooms(): void
  /**
   * Removes now what the configured retention no longer keeps, what was said in deleted rooms, and files that nobody can see any more; and
   * says what couldn't be said before.
   */
  applyRetention(): Promise<Removed>
  close(): Promise<void>
}

/** What of the chat is nothing but code: evaluated again by hot reload, it takes the place of what a running chat was made with. */
export async function declareChat(access: AccessOptions, env: Env) {
  const authorize = createAuthorize(access)
  const metrics = await metricsOf(env)
  return { channels: chatChannels, authorize: metrics ? metrics.ofRefusals(authorize) : authorize }
}

const metricsOf = async ({ METRICS_TOKEN }: Env) =>
  METRICS_TOKEN ? (await import("../operations/metrics.ts")).getMetrics() : null

/** The chat's server half, as Next.js and the gateway both run it: the realtime layer over the chat's own rules. */
export async function createChat({
  env,
  publishers,
  waitUntil,
  logger,
}: {
  env: Env
  publishers: RealtimePublisher[]
  /** Of a function, which stands still once it has answered; as in `RealtimeOptions`. */
  waitUntil?: ((work: Promise<unknown>) => void) | undefined
  /** Where failures go that nobody waits for; by default this process's log. */
  logger?: Logger | undefined
}): Promise<Chat> {
  const { onError, steps } = await openProcessLog({ logger, level: env.LOG_LEVEL, waitUntil })
  const pool = env.DATABASE_URL ? openPool(env.DATABASE_URL, env.isServerless ? { max: 3 } : {}) : undefined
  const database: Database = await openDatabase({ pool, dataDir: env.DATA_DIR })
  await ensureLobby(database)
  const metrics = await metricsOf(env)
  const plainLog = await createLog(env, pool)
  const tracing = followBy([await serverTracing(env), steps])
  const measuredLog = metrics ? metrics.ofLog(plainLog) : plainLog
  const log = tracing ? followLog(tracing, measuredLog) : measuredLog
  const measuredPublishers = metrics ? metrics.ofPublishers(publishers) : publishers
  const rooms = createRooms(database, Date.now, log)
  const guests = createGuests(database, { onError })
  const isPostgres = pool !== undefined
  const index = createMessageIndex({ database, isPostgres, log })
  // One machine's processes are few and count for themselves.
  const limits = await createLimits({
    ...{ own: env.LIMITS, redisUrl: env.REDIS_URL, pool: env.isServerless ? pool : undefined },
    ...{ waitUntil, onError },
  })
  const session = sessionOptions(env)
  const identify = (request: Request) => identifyRequest(request, session, guests)
  const register = createFileRegister(database)
  const access: AccessOptions = { rooms, guests, index, log, limits, files: register }
  const limit = limitRequests(limits)
  const realtime: Realtime<ChatChannels> = createRealtime({
    ...(await declareChat(access, env)),
    identify,
    log: withRoomBell({
      ...{ log, database, waitUntil, onError },
      tell: (personId, roomId, from) =>
        realtime.signal(person({ person: personId }), "room-stirred", { room: roomId }, { from }),
    }),
    publishers: tracing ? followPublishers(tracing, measuredPublishers) : measuredPublishers,
    limit: metrics ? metrics.ofRefusals(limit) : limit,
    presenceCounts: createPresenceCounts(database),
    waitUntil,
    ...{ tracing, onError },
  })
  const files = createFiles({ register, store: fileStoreOf(env), rooms, limits, onError })
  const announcements = createAnnouncements({ database, realtime, onError })
  const retain = createRetention({ log, rooms, files, env })
  const applyRetention = async () => {
    // Beside it: where the log takes no messages, what it no longer keeps is removed all the same.
    const saying = announcements.say()
    return retain().finally(() => saying)
  }
  let clearing: Promise<unknown> = Promise.resolve()
  const stopTrimming = keepRetention({ applyRetention, env, onError, waitUntil })
  const readPositions = createReadPositions({ database, index })
  const handlers = createChatHandlers({
    ...{ identify, rooms, readPositions, index, limits, onError },
    search: createSearch({ database, isPostgres, index }),
  })
  const parts: Part[] = [
    { name: "the log", isNeeded: true, ask: () => log.heads([]) },
    { name: "the chat's database", isNeeded: true, ask: () => rooms.find("", lobbyId) },
    // Each process counts for itself meanwhile, and gateways fill from the log what they don't hear.
    ...(limits.askStore ? [{ name: "Redis", isNeeded: false, ask: limits.askStore }] : []),
  ]
  return {
    realtime,
    rooms,
    guests,
    deviceLinks: createDeviceLinks(database),
    announcements,
    identify,
    readPositions,
    messageIndex: index,
    handlers,
    fileHandlers: createFileHandlers({ files, identify, limits, onError }),
    limits,
    parts,
    access,
    clearRooms() {
      clearing = rooms.clear(log).catch((error: unknown) => onError(error, { stage: "clear deleted rooms" }))
      waitUntil?.(clearing)
    },
    applyRetention,
    async close() {
      stopTrimming()
      await clearing
      await realtime.close()
      await limits.close()
      await database.destroy()
    },
  }
}

/** Of a person everywhere, of all people of an address, and of all in one room; of whatever sends webhooks by its address, where that is known. */
function limitRequests({ take, takeOf }: Limits) {
  return async (request: LimitedRequest): Promise<void> => {
    if (request.action === "webhook") {
      const address = currentRequest()?.address
      return address === undefined ? undefined : take("webhooks from an address", address)
    }
    const { user, action, channel, count } = request
    if (action === "read" || channel === undefined) return takeOf("reads", user.id, count)
    const what = action === "publish" ? "publishes" : "signals"
    await takeOf(what, user.id, count)
    await take(`${what} in a room`, channel, count)
  }
}
