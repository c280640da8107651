import type { Cursor } from "throughline"
import type { ChannelMessage } from "throughline/client"
import type { RoomDefinition } from "./channels.ts"

/** One room as the server counts it for one person: what came after `read`, up to `head`. */
export interface CountedRoom {
  room: string
  /** Of others' messages; both numbers stop at `maxCounted`. */
  unread: number
  mentions: number
  read: Cursor
  head: Cursor
  /** When somebody last said something; absent where nobody did. */
  at?: number | undefined
}

/** What the server answers whoever asks what is unread. */
export interface UnreadAnswer {
  rooms: readonly CountedRoom[]
  /** The version of the list of rooms: a page that shows another one asks for the list. */
  list: string
}

/** More than that is "99+" to everybody. */
export const maxCounted = 100

/**
 * So many rooms are followed live: the open one and the most recently active. Of what is said in the others the server tells
 * (`room-bell.ts`), or is asked each minute and whenever the page is looked at again.
 */
export const maxFollowed = 30

export interface Typist {
  id: string
  name: string
  until: number
}

/** A signal counts for this long: whoever closes their page in the middle of a word stops typing by themselves. */
export const typingLastsMs = 5_000

/** What one person hasn't seen of one room, and what goes on in it. */
export interface RoomActivity {
  read: Cursor
  head: Cursor
  /** What was unread up to this place, as one number: by the server, or folded from `later`. */
  counted: { upTo: number; unread: number; mentions: number }
  /** Unread ones that came since, each by itself, so that reading some of them leaves the rest. */
  later: readonly { id: string; seq: number; isMention: boolean }[]
  at: number
  typists: readonly Typist[]
  /** Only the server can tell the number now. */
  isDoubtful: boolean
}

/** Whose counts these are, and the messages of theirs that the page knows of. */
export interface Reader {
  id: string
  own: ReadonlySet<string>
}

export type ActivityState = ReadonlyMap<string, RoomActivity>

export type ActivityEvent =
  | { type: "counted"; rooms: readonly CountedRoom[] }
  | { type: "arrived"; room: string; messages: readonly ChannelMessage<RoomDefinition>[]; reader: Reader }
  | { type: "read"; room: string; place: Cursor }
  | { type: "replaced"; room: string }
  | { type: "typing"; room: string; who: { id: string; name: string }; isTyping: boolean; now: number }
  | { type: "time-passed"; now: number }

/** Pure: what is known of all rooms after one more event. The same object where nothing changed. */
export function reduceActivity(state: ActivityState, event: ActivityEvent): ActivityState {
  switch (event.type) {
    case "counted":
      return new Map(event.rooms.map((counted) => [counted.room, merge(state.get(counted.room), counted)]))
    case "arrived":
      return change(state, event.room, (before) =>
        event.messages.reduce((after, message) => arrive(after, message, event.reader), before),
      )
    case "read":
      return change(state, event.room, (before) => read(before, event.place))
    case "replaced":
      return change(state, event.room, (before) => ({ ...before, isDoubtful: true }))
    case "typing":
      return change(state, event.room, (before) => type(before, event))
    case "time-passed": {
      let after = state
      for (const [room, { typists }] of state) {
        const still = typists.filter(({ until }) => until > event.now)
        if (still.length < typists.length)
          after = change(after, room, (before) => ({ ...before, typists: still }))
      }
      return after
    }
  }
}

function change(
  state: ActivityState,
  room: string,
  update: (before: RoomActivity) => RoomActivity,
): ActivityState {
  const before = state.get(room)
  if (!before) return state
  const after = update(before)
  return after === before ? state : new Map(state).set(room, after)
}

/** What the server says, joined to what has come, or has been read, since it looked. */
function merge(before: RoomActivity | undefined, { room: _, ...server }: CountedRoom): RoomActivity {
  const counted = { upTo: server.head.seq, unread: server.unread, mentions: server.mentions }
  const { read, head } = server
  const fresh = { read, head, counted, later: [], at: server.at ?? 0, typists: [], isDoubtful: false }
  if (!before || before.head.epoch !== head.epoch) return fresh
  // It looked before what is known here: nothing is learned from it.
  if (before.counted.upTo > head.seq) return before
  const later = before.later.filter(({ seq }) => seq > head.seq)
  const known = {
    ...fresh,
    head: before.head.seq > head.seq ? before.head : head,
    later,
    at: Math.max(before.at, fresh.at),
    typists: before.typists,
    // A doubt that arose after it looked.
    isDoubtful: before.isDoubtful && before.head.seq > head.seq,
  }
  // Read here a moment ago, which the server hadn't heard.
  const isAhead = before.read.epoch === read.epoch && before.read.seq > read.seq
  return isAhead ? readUpTo(known, before.read) : known
}

function arrive(before: RoomActivity, message: ChannelMessage<RoomDefinition>, reader: Reader): RoomActivity {
  const { id, seq, epoch, from, at } = message
  if (epoch !== before.head.epoch || seq <= before.head.seq) return before
  const after = { ...before, head: { epoch, seq } }
  const isUnread = seq > readSeqOf(before)
  switch (message.event) {
    case "text-sent": {
      const typists = after.typists.filter((typist) => typist.id !== from?.id)
      const spoken = { ...after, at, typists }
      if (from?.id === reader.id || !isUnread) return spoken
      const isMention = concerns(message.payload, reader)
      const { replyTo } = message.payload
      // An answer to a message that isn't known here: perhaps it is the reader's.
      const isDoubtful =
        spoken.isDoubtful ||
        (replyTo !== undefined && !isMention && !after.later.some((entry) => entry.id === replyTo.id))
      return fold({ ...spoken, isDoubtful, later: [...after.later, { id, seq, isMention }] })
    }
    case "message-deleted": {
      const later = after.later.filter((entry) => entry.id !== message.payload.target)
      return later.length < after.later.length ? { ...after, later } : doubt(after)
    }
    case "message-edited": {
      const { target, mentions = [] } = message.payload
      if (!after.later.some((entry) => entry.id === target)) return doubt(after)
      const isMention = mentions.includes(reader.id)
      return {
        ...after,
        later: after.later.map((entry) => (entry.id === target ? { ...entry, isMention } : entry)),
      }
    }
    default:
      return after
  }
}

/** Whether a message mentions the reader, or answers one of theirs. */
export function concerns(
  { mentions, replyTo }: { mentions?: string[] | undefined; replyTo?: { id: string } | undefined },
  { id, own }: Reader,
): boolean {
  return (mentions?.includes(id) ?? false) || (replyTo !== undefined && own.has(replyTo.id))
}

/** What was read of a log that was replaced since says nothing about this one. */
const readSeqOf = ({ read, head }: RoomActivity): number => (read.epoch === head.epoch ? read.seq : 0)

/** A change to a message that isn't known by itself. */
const doubt = (room: RoomActivity): RoomActivity =>
  room.counted.unread > 0 ? { ...room, isDoubtful: true } : room

/** A room that talks while nobody looks must not fill the memory. */
function fold(room: RoomActivity): RoomActivity {
  if (room.later.length <= maxCounted) return room
  const counted = { ...countOf(room), upTo: room.head.seq }
  return { ...room, counted, later: [] }
}

function read(before: RoomActivity, place: Cursor): RoomActivity {
  if (place.epoch !== before.head.epoch) return before
  if (place.epoch === before.read.epoch && place.seq <= before.read.seq) return before
  return readUpTo(before, place)
}

function readUpTo(room: RoomActivity, place: Cursor): RoomActivity {
  const isWhole = place.seq >= room.counted.upTo
  return {
    ...room,
    read: place,
    counted: isWhole ? { upTo: room.counted.upTo, unread: 0, mentions: 0 } : room.counted,
    later: room.later.filter(({ seq }) => seq > place.seq),
    isDoubtful: !isWhole && room.counted.unread > 0,
  }
}

function type(
  before: RoomActivity,
  { who, isTyping, now }: { who: { id: string; name: string }; isTyping: boolean; now: number },
): RoomActivity {
  const others = before.typists.filter(({ id }) => id !== who.id)
  if (!isTyping && others.length === before.typists.length) return before
  return { ...before, typists: isTyping ? [...others, { ...who, until: now + typingLastsMs }] : others }
}

/** What a badge shows. */
export function countOf({ counted, later }: RoomActivity): { unread: number; mentions: number } {
  return {
    unread: Math.min(maxCounted, counted.unread + later.length),
    mentions: Math.min(maxCounted, counted.mentions + later.filter(({ isMention }) => isMention).length),
  }
}

/** Of all rooms together. */
export function totalOf(state: ActivityState): { unread: number; mentions: number } {
  let unread = 0
  let mentions = 0
  for (const room of state.values()) {
    const count = countOf(room)
    unread += count.unread
    mentions += count.mentions
  }
  return { unread, mentions }
}

/** Where the first one stands that wasn't read; null when all was. */
export function firstUnreadOf(room: RoomActivity | undefined): number | null {
  return room && countOf(room).unread > 0 ? readSeqOf(room) + 1 : null
}

/** The most recently active first; among rooms where nobody ever spoke, the order that they came in. */
export const byActivity = (state: ActivityState) => (a: string, b: string) =>
  (state.get(b)?.at ?? 0) - (state.get(a)?.at ?? 0)

/** What wants to be read first, then the most recently active. */
export function inReadingOrder(rooms: readonly string[], state: ActivityState): string[] {
  const urgency = (room: string) => {
    const activity = state.get(room)
    const { unread, mentions } = activity ? countOf(activity) : { unread: 0, mentions: 0 }
    return mentions > 0 ? 2 : unread > 0 ? 1 : 0
  }
  const recent = byActivity(state)
  return [...rooms].sort((a, b) => urgency(b) - urgency(a) || recent(a, b))
}
