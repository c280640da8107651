import { RealtimeError, type User } from "throughline"
import type { AuthorizeRequest, MessageLog } from "throughline/server"
import type * as z from "zod/mini"
import type { FileRegister } from "../files/register.ts"
import type { Limits } from "../security/limits.ts"
import { type ChatChannels, lab, publishableEvents, room, visitSchema } from "./channels.ts"
import type { Guests } from "./guests.ts"
import type { IndexedMessage, MessageIndex } from "./message-index.ts"
import type { Rooms } from "./rooms.ts"

export interface AccessOptions {
  rooms: Pick<Rooms, "isMember" | "find">
  guests: Pick<Guests, "hasLeft">
  index: Pick<MessageIndex, "catchUp" | "find">
  log: Pick<MessageLog, "readAfter" | "heads">
  limits: Pick<Limits, "takeOf">
  /** Attaches to a message what its sender uploaded for this room, if it is that. */
  files: Pick<FileRegister, "claim">
}

type AccessRequest = AuthorizeRequest<ChatChannels>
type MessageEvent = keyof (typeof room)["messages"]
type Payload<E extends MessageEvent> = z.output<(typeof room)["messages"][E]>

interface Call {
  user: User
  roomId: string
  messageId: string
  payload: unknown
  earlier: NonNullable<AccessRequest["earlier"]>
}

/**
 * Who may do what in which room: the one decision, in Next.js and in the gateway, for every provider. Only members
 * may do anything; what the server says by itself (who came, who left) no browser may say. A laboratory is its visitor's
 * alone, and so is what a person's devices tell each other. Whoever has signed out may do nothing.
 *
 * What is said with nothing beside it costs one query. What changes a message is looked up: only its sender edits
 * it, only its sender or the room's owner deletes it, and nothing is done to one that isn't there.
 */
export function createAuthorize({ rooms, guests, index, log, limits, files }: AccessOptions) {
  /** A message of this room, as the log has it now, or as it is about to be by the same request. */
  async function targetOf({ user, roomId, payload, earlier }: Call): Promise<IndexedMessage> {
    const { target } = payload as Payload<"message-deleted">
    const { isIndexing } = await index.catchUp([roomId])
    const found = await index.find(roomId, target)
    if (found) return found
    if (isIndexing) {
      const message = "unable to accept; the room's messages are still being indexed"
      throw new RealtimeError("log-unavailable", { message })
    }
    // One's own, written and changed while offline: both are on their way together. No text of somebody else's has its id.
    if (earlier.some(({ id, event }) => id === target && event === "text-sent"))
      return { seq: 0, authorId: user.id, isDeleted: false }
    throw tooLate("there is no such message")
  }

  /**
   * Whether what is answered was said here. What was deleted, erased, or is no longer kept may be answered: whoever wrote an answer
   * meanwhile, perhaps offline, shall not lose it; the quote says that it is gone.
   */
  async function isAnswerable(roomId: string, { id, seq }: { id: string; seq: number }): Promise<boolean> {
    const { head, messages } = await log.readAfter(room({ room: roomId }).name, seq - 1, 1)
    if (seq < head.first) return true
    const [found] = messages
    return found?.seq === seq && found.id === id && (found.event === "text-sent" || found.event === "erased")
  }

  /** A visit that is written into stays in the log's list of channels for ever: nobody may begin them without end. */
  async function mayVisit(user: User, visit: string, mayBegin: boolean): Promise<boolean> {
    if (!visitSchema.safeParse(visit).success) return false
    if (mayBegin) {
      const [head] = await log.heads([lab({ owner: user.id, visit }).name])
      if (head?.seq === 0) await limits.takeOf("laboratories", user.id)
    }
    return true
  }

  const rules: Record<string, (call: Call) => Promise<boolean>> = {
    async "text-sent"({ user, roomId, messageId, payload }) {
      const { replyTo, files: sent } = payload as Payload<"text-sent">
      if (replyTo && !(await isAnswerable(roomId, replyTo))) throw tooLate("what it answers isn't here")
      if (sent && !(await files.claim({ userId: user.id, roomId, messageId, files: sent }))) {
        const message = "unable to accept; a file isn't the sender's, for this room"
        throw new RealtimeError("invalid-payload", { message })
      }
      return true
    },
    async "message-edited"(call) {
      const { authorId, isDeleted } = await targetOf(call)
      if (authorId !== call.user.id) return false
      if (isDeleted) throw tooLate("the message was deleted")
      return true
    },
    /** What is deleted already may be deleted again: the repeat of a request whose answer got lost is no failure. */
    async "message-deleted"(call) {
      const { user, roomId } = call
      const { authorId } = await targetOf(call)
      return authorId === user.id || (await rooms.find(user.id, roomId))?.ownerId === user.id
    },
    async "reaction-set"(call) {
      if ((await targetOf(call)).isDeleted) throw tooLate("the message was deleted")
      return true
    },
  }

  return async ({
    user,
    channel,
    action,
    id = "",
    event,
    payload,
    earlier = [],
  }: AccessRequest): Promise<boolean> => {
    if (action === "publish" && event !== undefined && !publishableEvents.has(event)) return false
    if (channel.kind !== "room") {
      const owner = channel.kind === "lab" ? channel.params.owner : channel.params.person
      if (owner !== user.id || (await guests.hasLeft(user.id))) return false
      // What comes later in the same request finds the visit begun.
      const mayBegin = action === "publish" && earlier.length === 0
      return channel.kind !== "lab" || mayVisit(user, channel.params.visit, mayBegin)
    }
    const roomId = channel.params.room
    if (!(await rooms.isMember(user.id, roomId))) return false
    const rule = action === "publish" && event !== undefined ? rules[event] : undefined
    return rule ? rule({ user, roomId, messageId: id, payload, earlier }) : true
  }
}

const tooLate = (why: string) => new RealtimeError("conflict", { message: `unable to accept; ${why}` })
