import { RealtimeError, type User } from "throughline"
import { readJsonBody } from "throughline/server"
import * as z from "zod/mini"
import type { Limits } from "../security/limits.ts"
import { maxQuotes } from "./api.ts"
import { createEndpoints, type Endpoint, type EndpointOptions } from "./endpoint.ts"
import type { MessageIndex } from "./message-index.ts"
import type { ReadPositions } from "./read-positions.ts"
import type { UnreadAnswer } from "./room-activity.ts"
import { listVersion, type Rooms } from "./rooms.ts"
import type { Search } from "./search.ts"

/** What `app/api/chat/` answers. */
export interface ChatHandlers {
  /** An `UnreadAnswer`: what is unread in the rooms that one is in, and the version of one's list of rooms. */
  unread: Endpoint
  /** Takes `{ room, epoch, seq }`: one has read so far. Answers `{ read }`. */
  read: Endpoint
  /** `?room=&query=&before=`: a `SearchPage`. */
  search: Endpoint
  /** `?room=&id=&id=…`: `{ messages }` of it as they stand now, for quotes of what a page hasn't loaded. */
  quotes: Endpoint
  /** `?room=`: `{ people }` who are in it, at most 500. */
  people: Endpoint
  /** `?room=`: `{ people }` who are kept out of it, at most 500, for its owner alone. */
  keptOut: Endpoint
}

export interface ChatHandlersOptions extends EndpointOptions {
  rooms: Pick<Rooms, "isMember" | "members" | "keptOut" | "list">
  readPositions: ReadPositions
  search: Search
  index: Pick<MessageIndex, "quote">
  limits: Pick<Limits, "takeOf">
}

const roomSchema = z.string().check(z.minLength(1), z.maxLength(128))
const seqSchema = z.int().check(z.nonnegative())

const readSchema = z.object({
  room: roomSchema,
  epoch: z.string().check(z.maxLength(128)),
  seq: seqSchema,
})
const searchSchema = z.object({
  room: roomSchema,
  query: z.string(),
  before: z.optional(z.pipe(z.string().check(z.regex(/^\d{1,15}$/)), z.transform(Number))),
})
const peopleSchema = z.object({ room: roomSchema })
const quotesSchema = z.object({
  room: roomSchema,
  ids: z.array(z.string().check(z.minLength(1), z.maxLength(128))).check(z.maxLength(maxQuotes)),
})

export function createChatHandlers(options: ChatHandlersOptions): ChatHandlers {
  const { rooms, readPositions, search, index, limits } = options
  const endpoint = createEndpoints(options)

  function parse<T>(schema: z.ZodMiniType<T>, value: unknown): T {
    const result = schema.safeParse(value)
    if (result.success) return result.data
    throw new RealtimeError("invalid-request", { message: "unable to answer; the request is malformed" })
  }

  const fromQuery = <T>(schema: z.ZodMiniType<T>, url: URL) =>
    parse(schema, Object.fromEntries(url.searchParams))

  /** A room that isn't there and one that isn't theirs look the same. */
  async function requireMember(user: User, roomId: string): Promise<void> {
    if (!(await rooms.isMember(user.id, roomId))) throw denied("the user isn't in the room")
  }

  return {
    unread: endpoint(async ({ user }) => {
      await limits.takeOf("reads", user.id)
      const [unread, listed] = await Promise.all([readPositions.unread(user.id), rooms.list(user.id)])
      return { rooms: unread, list: listVersion(listed, user) } satisfies UnreadAnswer
    }),

    read: endpoint(async ({ user, request }) => {
      await limits.takeOf("reads", user.id)
      const { room, epoch, seq } = parse(readSchema, await readJsonBody(request))
      await requireMember(user, room)
      return { read: await readPositions.move(user.id, room, { epoch, seq }) }
    }),

    search: endpoint(async ({ user, url }) => {
      await limits.takeOf("searches", user.id)
      const { room, query, before } = fromQuery(searchSchema, url)
      await requireMember(user, room)
      return search.find(room, query, before)
    }),

    quotes: endpoint(async ({ user, url: { searchParams } }) => {
      await limits.takeOf("reads", user.id)
      const asked = { room: searchParams.get("room"), ids: searchParams.getAll("id") }
      const { room, ids } = parse(quotesSchema, asked)
      await requireMember(user, room)
      return { messages: await index.quote(room, ids) }
    }),

    people: endpoint(async ({ user, url }) => {
      await limits.takeOf("reads", user.id)
      const { room } = fromQuery(peopleSchema, url)
      await requireMember(user, room)
      return { people: await rooms.members(room) }
    }),

    keptOut: endpoint(async ({ user, url }) => {
      await limits.takeOf("reads", user.id)
      const people = await rooms.keptOut(user.id, fromQuery(peopleSchema, url).room)
      if (!people) throw denied("the room isn't the user's")
      return { people }
    }),
  }
}

const denied = (why: string) => new RealtimeError("channel-denied", { message: `unable to answer; ${why}` })
