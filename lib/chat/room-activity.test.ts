import type { ChannelMessage } from "throughline/client"
import { describe, expect, it } from "vitest"
import type { RoomDefinition } from "./channels.ts"
import {
  type ActivityEvent,
  type ActivityState,
  type CountedRoom,
  countOf,
  firstUnreadOf,
  inReadingOrder,
  maxCounted,
  reduceActivity,
  totalOf,
  typingLastsMs,
} from "./room-activity.ts"

const me = "aki"
const room = "harbour"
const epoch = "first life"
type Message = ChannelMessage<RoomDefinition>

/** Read up to 10, of 14. */
const counted = (over: Partial<CountedRoom> = {}): CountedRoom => ({
  ...{ room, unread: 3, mentions: 1, at: 1_000 },
  read: { epoch, seq: 10 },
  head: { epoch, seq: 14 },
  ...over,
})

const message = (seq: number, over: Partial<Message> = {}): Message =>
  ({
    ...{
      id: `message ${seq}`,
      channel: `room:${room}`,
      seq,
      epoch,
      event: "text-sent",
      payload: { text: "hello" },
    },
    ...{ from: { id: "ben", name: "Ben" }, at: seq * 1_000 },
    ...over,
  }) as Message

const mention = (seq: number) => message(seq, { payload: { text: "@Aki", mentions: [me] } })
const own = (seq: number) => message(seq, { from: { id: me } })
const deletion = (seq: number, target: number) =>
  message(seq, { event: "message-deleted", payload: { target: `message ${target}` } })
const edit = (seq: number, target: number, mentions: string[] = []) =>
  message(seq, {
    event: "message-edited",
    payload: { target: `message ${target}`, text: "better", mentions },
  })

const arrived = (...messages: Message[]): ActivityEvent => ({
  ...{ type: "arrived", room, messages, reader: { id: me, own: new Set(["message 9"]) } },
})
const read = (seq: number, of = epoch): ActivityEvent => ({ type: "read", room, place: { epoch: of, seq } })
const server = (over: Partial<CountedRoom> = {}): ActivityEvent => ({
  type: "counted",
  rooms: [counted(over)],
})

const after = (...events: ActivityEvent[]): ActivityState => events.reduce(reduceActivity, new Map())
const badgeAfter = (...events: ActivityEvent[]) => {
  const activity = after(...events).get(room)
  return activity && countOf(activity)
}
const isDoubtful = (...events: ActivityEvent[]) => after(...events).get(room)?.isDoubtful

describe("what comes live", () => {
  it("joins what the server counted, without what it had counted already", () => {
    expect(badgeAfter(server(), arrived(message(13), message(14), message(15), mention(16)))).toEqual({
      unread: 5,
      mentions: 2,
    })
  })

  it("counts once, however often it comes", () => {
    expect(badgeAfter(server(), arrived(message(15)), arrived(message(15), message(16)))?.unread).toBe(5)
  })

  it("isn't counted when it is one's own, or when nobody said it", () => {
    const joined = message(16, { event: "member-joined", payload: {} })
    const reaction = message(17, {
      event: "reaction-set",
      payload: { target: "message 12", emoji: "👍", isOn: true },
    })
    expect(badgeAfter(server(), arrived(own(15), joined, reaction))).toEqual({ unread: 3, mentions: 1 })
  })

  it("is told from a place that was read further on already", () => {
    expect(badgeAfter(server(), read(16), arrived(message(15), message(16), message(17)))?.unread).toBe(1)
  })

  it("belongs to nothing when the log is another one, or the room unknown", () => {
    expect(badgeAfter(server(), arrived(message(15, { epoch: "second life" })))?.unread).toBe(3)
    expect(after(arrived(message(1))).size).toBe(0)
  })

  it("takes back what was deleted before it was read", () => {
    expect(badgeAfter(server(), arrived(mention(15), deletion(16, 15)))).toEqual({ unread: 3, mentions: 1 })
  })

  it("concerns one when it answers a message of one's own; of one that isn't known the server knows", () => {
    const answer = (seq: number, to: number) =>
      message(seq, { payload: { text: "yes", replyTo: { id: `message ${to}`, seq: to } } })
    expect(badgeAfter(server(), arrived(answer(15, 9)))).toEqual({ unread: 4, mentions: 2 })
    expect(isDoubtful(server(), arrived(answer(15, 9)))).toBe(false)
    expect(badgeAfter(server(), arrived(answer(15, 8)))).toEqual({ unread: 4, mentions: 1 })
    expect(isDoubtful(server(), arrived(answer(15, 8)))).toBe(true)
    expect(isDoubtful(server(), arrived(message(15), answer(16, 15)))).toBe(false)
  })

  it("follows an edit that mentions one, or doesn't any more", () => {
    expect(badgeAfter(server(), arrived(message(15), edit(16, 15, [me])))?.mentions).toBe(2)
    expect(badgeAfter(server(), arrived(mention(15), edit(16, 15)))?.mentions).toBe(1)
  })

  it("leaves it to the server what a change to a message means that it counted", () => {
    expect(isDoubtful(server(), arrived(deletion(15, 12)))).toBe(true)
    expect(isDoubtful(server(), arrived(edit(15, 12)))).toBe(true)
    expect(isDoubtful(server({ unread: 0, mentions: 0 }), arrived(deletion(15, 12)))).toBe(false)
  })

  it("stops at the most that is counted, and keeps no more than that", () => {
    const many = Array.from({ length: 1_000 }, (_, index) => mention(15 + index))
    const state = after(server(), arrived(...many))
    expect(totalOf(state)).toEqual({ unread: maxCounted, mentions: maxCounted })
    expect(state.get(room)?.later.length).toBeLessThanOrEqual(maxCounted)
    expect(badgeAfter(server(), arrived(...many), read(1_014))).toEqual({ unread: 0, mentions: 0 })
  })
})

describe("reading", () => {
  it("to the end leaves nothing", () => {
    expect(badgeAfter(server(), arrived(mention(15)), read(15))).toEqual({ unread: 0, mentions: 0 })
  })

  it("leaves what came after", () => {
    expect(badgeAfter(server(), arrived(message(15), mention(16)), read(15))).toEqual({
      unread: 1,
      mentions: 1,
    })
  })

  it("within what the server counted asks the server", () => {
    expect(isDoubtful(server(), read(12))).toBe(true)
    expect(badgeAfter(server(), read(12))?.unread).toBe(3)
    expect(isDoubtful(server(), read(12), read(14))).toBe(false)
  })

  it("never goes back", () => {
    expect(badgeAfter(server(), read(14), read(3))).toEqual({ unread: 0, mentions: 0 })
    const unchanged = after(server())
    expect(reduceActivity(unchanged, read(10))).toBe(unchanged)
  })

  it("of a log that was replaced means nothing", () => {
    expect(badgeAfter(server(), read(99, "second life"))?.unread).toBe(3)
  })
})

describe("the server's answer", () => {
  it("doesn't take back what was read here meanwhile", () => {
    expect(badgeAfter(server(), read(14), server())).toEqual({ unread: 0, mentions: 0 })
    expect(badgeAfter(server(), arrived(message(15)), read(15), server())?.unread).toBe(0)
  })

  it("keeps what came after it was made", () => {
    expect(badgeAfter(server(), arrived(message(15)), server())?.unread).toBe(4)
    expect(
      badgeAfter(server(), arrived(message(15)), server({ unread: 4, head: { epoch, seq: 15 } }))?.unread,
    ).toBe(4)
  })

  it("of before what is known is no news", () => {
    const many = Array.from({ length: maxCounted + 1 }, (_, index) => message(15 + index))
    expect(badgeAfter(server(), arrived(...many), server({ unread: 1 }))?.unread).toBe(maxCounted)
  })

  it("ends a doubt, unless that is the younger of the two", () => {
    const now = server({ unread: 2, head: { epoch, seq: 15 } })
    expect(isDoubtful(server(), arrived(deletion(15, 12)), now)).toBe(false)
    expect(badgeAfter(server(), arrived(deletion(15, 12)), now)?.unread).toBe(2)
    expect(isDoubtful(server(), arrived(deletion(15, 12)), server())).toBe(true)
  })

  it("of another log begins anew", () => {
    const other = {
      read: { epoch: "second life", seq: 0 },
      head: { epoch: "second life", seq: 2 },
      unread: 2,
    }
    expect(badgeAfter(server(), arrived(message(15)), read(15), server(other))).toEqual({
      unread: 2,
      mentions: 1,
    })
  })

  it("forgets the rooms that it doesn't name", () => {
    expect(after(server(), { type: "counted", rooms: [] }).size).toBe(0)
  })

  it("is asked for when the log was replaced", () => {
    expect(isDoubtful(server(), { type: "replaced", room })).toBe(true)
  })
})

describe("where the unread begin", () => {
  it("is after what was read, and nowhere when all was", () => {
    expect(firstUnreadOf(after(server()).get(room))).toBe(11)
    expect(firstUnreadOf(after(server(), read(14)).get(room))).toBeNull()
    expect(firstUnreadOf(undefined)).toBeNull()
  })

  it("is the beginning of a log that replaced the one that was read", () => {
    expect(firstUnreadOf(after(server({ read: { epoch: "an earlier life", seq: 99 } })).get(room))).toBe(1)
  })
})

describe("typing", () => {
  const typing = (isTyping: boolean, now: number, id = "ben"): ActivityEvent => ({
    ...{ type: "typing", room, who: { id, name: id }, isTyping, now },
  })
  const typists = (...events: ActivityEvent[]) =>
    after(server(), ...events)
      .get(room)
      ?.typists.map(({ id }) => id)

  it("is shown until it ends, by word or by itself", () => {
    expect(typists(typing(true, 0), typing(true, 0, "cleo"))).toEqual(["ben", "cleo"])
    expect(typists(typing(true, 0), typing(false, 1))).toEqual([])
    expect(typists(typing(true, 0), { type: "time-passed", now: typingLastsMs })).toEqual([])
    expect(typists(typing(true, 0), { type: "time-passed", now: typingLastsMs - 1 })).toEqual(["ben"])
  })

  it("is once per person, and ends with what they wrote", () => {
    expect(typists(typing(true, 0), typing(true, 1))).toEqual(["ben"])
    expect(typists(typing(true, 0), arrived(message(15)))).toEqual([])
    expect(typists(typing(true, 0), arrived(own(15)))).toEqual(["ben"])
  })

  it("outlasts the server's answer", () => {
    expect(typists(typing(true, 0), server())).toEqual(["ben"])
  })
})

describe("the order of rooms", () => {
  it("puts first where one is mentioned, then what is unread, then what was active last", () => {
    const rooms = [
      counted({ room: "quiet", unread: 0, mentions: 0, at: undefined }),
      counted({ room: "old", unread: 0, mentions: 0, at: 1 }),
      counted({ room: "recent", unread: 0, mentions: 0, at: 9 }),
      counted({ room: "unread", unread: 1, mentions: 0, at: 2 }),
      counted({ room: "mentioned", unread: 1, mentions: 1, at: 1 }),
    ]
    const state = after({ type: "counted", rooms })
    const order = ["never heard of", "quiet", "old", "recent", "unread", "mentioned"]
    expect(inReadingOrder(order, state)).toEqual([
      ...["mentioned", "unread", "recent", "old"],
      ...["never heard of", "quiet"],
    ])
  })
})
