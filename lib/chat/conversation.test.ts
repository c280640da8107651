import { describe, expect, it } from "vitest"
import fc from "../../realtime/testing/fast-check.ts"
import {
  type ConversationItem,
  createConversation,
  type PendingRoomMessage,
  type RoomMessage,
  type Said,
} from "./conversation.ts"

const me = { id: "me", name: "Me" }
type Event = RoomMessage["event"]

let nextSeq = 0
const message = (event: Event, payload: unknown, from: string | null = "a", seq = ++nextSeq): RoomMessage =>
  ({
    ...{ id: `m${seq}`, channel: "room:1", seq, epoch: "e", event, payload, at: seq },
    from: from === null ? null : { id: from, name: from.toUpperCase() },
  }) as RoomMessage
const said = (text: string, from = "a") => message("text-sent", { text }, from)
const edited = (target: string, text: string, from = "a") => message("message-edited", { target, text }, from)
const deleted = (target: string, from = "a") => message("message-deleted", { target }, from)
const reacted = (target: string, emoji: string, from: string, isOn = true) =>
  message("reaction-set", { target, emoji, isOn }, from)
const pending = (
  event: Event,
  payload: unknown,
  state: PendingRoomMessage["state"] = "queued",
  id = "p1",
): PendingRoomMessage => ({ id, event, payload, state, at: 1e6 }) as PendingRoomMessage

const fold = (messages: RoomMessage[], waiting: PendingRoomMessage[] = []) =>
  createConversation(me)(messages, waiting)
const first = (messages: RoomMessage[], waiting: PendingRoomMessage[] = []) =>
  fold(messages, waiting).items[0] as Said
const people = ({ reactions }: Said) =>
  Object.fromEntries(reactions.map(({ emoji, people }) => [emoji, people.map(({ id }) => id).join(" ")]))

describe("what was said", () => {
  it("shows its last edit, and that there was one", () => {
    const one = said("helo")
    expect(first([one])).toMatchObject({ text: "helo", isEdited: false })
    expect(first([one, edited(one.id, "hallo"), edited(one.id, "hello")])).toMatchObject({
      text: "hello",
      isEdited: true,
    })
  })

  it("is edited by its sender alone, whatever the log says", () => {
    const one = said("mine")
    expect(first([one, edited(one.id, "yours", "b")])).toMatchObject({ text: "mine", isEdited: false })
  })

  it("shows nothing of itself once it is deleted, whatever comes later", () => {
    const one = message("text-sent", { text: "secret", mentions: ["b"], files: [{ id: "f" }] })
    const messages = [one, reacted(one.id, "👍", "b"), deleted(one.id)]
    const gone = { text: "", mentions: [], files: [], reactions: [], isDeleted: true }
    expect(first(messages)).toMatchObject(gone)
    const late = [edited(one.id, "again"), reacted(one.id, "👍", "b"), deleted(one.id)]
    expect(first([...messages, ...late])).toMatchObject(gone)
  })

  it("keeps each person's reaction once, in the order they came", () => {
    const one = said("hi")
    const messages = [
      ...[one, reacted(one.id, "👍", "b"), reacted(one.id, "🎉", "c"), reacted(one.id, "👍", "c")],
      ...[reacted(one.id, "👍", "b"), reacted(one.id, "🎉", "c", false), reacted(one.id, "🎉", "d", false)],
    ]
    expect(people(first(messages))).toEqual({ "👍": "b c" })
  })

  it("gets what happened to it when it is loaded later than that", () => {
    const one = said("old")
    const changes = [edited(one.id, "new"), reacted(one.id, "👍", "b")]
    const conversation = createConversation(me)
    expect(conversation(changes, []).items).toEqual([])
    const item = conversation([one, ...changes], []).items[0] as Said
    expect([item.text, people(item)]).toEqual(["new", { "👍": "b" }])
  })
})

describe("one's own on the way", () => {
  it("stand at the end as if they had arrived", () => {
    const one = said("hi", "me")
    const { items } = fold([one], [pending("text-sent", { text: "there" }, "sending")])
    expect(items.at(-1)).toMatchObject({ text: "there", state: "sending", seq: null, sender: me })
  })

  it("change at once what they are about, and say that they are on their way", () => {
    const one = said("hi", "me")
    const change = pending("message-edited", { target: one.id, text: "ho" })
    expect(first([one], [change])).toMatchObject({
      ...{ text: "ho", state: "sent" },
      change: { id: "p1", kind: "message-edited", state: "queued" },
    })
    expect(
      people(first([one], [pending("reaction-set", { target: one.id, emoji: "👍", isOn: true })])),
    ).toEqual({
      "👍": "me",
    })
  })

  it("change nothing where they were refused, and say so", () => {
    const one = said("hi", "me")
    expect(first([one], [pending("message-deleted", { target: one.id }, "refused")])).toMatchObject({
      ...{ text: "hi", isDeleted: false },
      change: { state: "refused" },
    })
  })

  it("are found by their id, like what has arrived", () => {
    const one = said("hi")
    const { find } = fold([one], [pending("text-sent", { text: "there" })])
    expect([find(one.id)?.text, find("p1")?.text, find("nowhere")]).toEqual(["hi", "there", null])
  })
})

describe("the fold", () => {
  const ids = [1, 2, 3, 4, 5, 6]
  const from = fc.constantFrom("a", "b", "me")
  const target = fc.constantFrom(...ids).map((id) => `m${id}`)
  const step = fc.oneof(
    fc.record({ event: fc.constant("text-sent" as Event), payload: fc.record({ text: fc.string() }), from }),
    fc.record({
      event: fc.constant("message-edited" as Event),
      payload: fc.record({ target, text: fc.string() }),
      from,
    }),
    fc.record({ event: fc.constant("message-deleted" as Event), payload: fc.record({ target }), from }),
    fc.record({
      event: fc.constant("reaction-set" as Event),
      payload: fc.record({ target, emoji: fc.constantFrom("👍", "🎉"), isOn: fc.boolean() }),
      from,
    }),
    fc.record({ event: fc.constant("member-joined" as Event), payload: fc.constant({}), from }),
  )
  const programs = fc
    .array(step, { maxLength: 30 })
    .map((steps) => steps.map(({ event, payload, from }, index) => message(event, payload, from, index + 1)))

  it("is the same however the messages came: one by one, together, or the older ones last", () => {
    fc.assert(
      fc.property(programs, fc.nat(), (messages, cut) => {
        const whole = fold(messages).items
        const growing = createConversation(me)
        let items: readonly ConversationItem[] = []
        for (let end = 0; end <= messages.length; end += 1) items = growing(messages.slice(0, end), []).items
        expect(items).toEqual(whole)
        const upwards = createConversation(me)
        upwards(messages.slice(cut % (messages.length + 1)), [])
        expect(upwards(messages, []).items).toEqual(whole)
      }),
    )
  })

  it("keeps the objects of what didn't change, and never changes one that it gave out", () => {
    fc.assert(
      fc.property(programs, (messages) => {
        const conversation = createConversation(me)
        const half = conversation(messages.slice(0, messages.length / 2), []).items
        const copies = structuredClone(half)
        const whole = conversation(messages, []).items
        expect(half).toEqual(copies)
        half.forEach((item, index) => {
          const now = whole[index]
          if (JSON.stringify(now) === JSON.stringify(item) && item.kind === "told") expect(now).toBe(item)
        })
      }),
    )
  })
})
