import { act, cleanup, renderHook } from "@testing-library/react"
import { useMemo } from "react"
import { afterEach, beforeEach, expect, it } from "vitest"
import { createConversation, type RoomMessage } from "#lib/chat/conversation.ts"
import { createDrafts, type Draft } from "#lib/chat/drafts.ts"
import { isRead } from "./loaded.ts"
import { useEditing } from "./use-editing.ts"

const me = { id: "me", name: "Me" }
const drafts = createDrafts(me.id)
const idOf = (seq: number) => `0198a000-0000-7000-8000-00000000010${seq}`
const log = (seq: number, event: string, payload: object) =>
  ({
    ...{ id: idOf(seq), channel: "room:1", epoch: "e", seq, at: seq },
    ...{ event, payload, from: me },
  }) as RoomMessage
const [first, second, third] = [1, 2, 3].map((seq) => log(seq, "text-sent", { text: `number ${seq}` }))
const placeOf = (seq: number) => ({ id: idOf(seq), seq })
const keptOf = (seq: number) => ({ ...placeOf(seq), base: `number ${seq}`, text: "changed", chosen: [] })

beforeEach(() => sessionStorage.clear())
afterEach(() => {
  cleanup()
  document.body.replaceChildren()
})

/** The room as a page shows it that has these messages of it, and learns of others. */
function open(...initial: (RoomMessage | undefined)[]) {
  const told: unknown[] = []
  const composer = { current: { append: ({ text }: Draft) => void told.push(text) } }
  const onReopen = (place: object) => void told.push(place)
  const onLost = (how: string) => void told.push(how)
  const fold = createConversation(me)
  const { result, rerender } = renderHook(
    ({ messages }: { messages: RoomMessage[] }) => {
      const conversation = useMemo(() => fold(messages, []), [messages])
      const loaded = { messages, hasOlder: (messages[0]?.seq ?? 0) > 1, gaps: [], wasReset: false }
      const isHere = (seq: number) => isRead(loaded, 0, seq)
      return useEditing({
        ...{ roomId: "1", userId: me.id, conversation, composer, isRead: isHere, onReopen, onLost },
      })
    },
    { initialProps: { messages: initial as RoomMessage[] } },
  )
  const learn = (...messages: (RoomMessage | undefined)[]) =>
    rerender({ messages: messages as RoomMessage[] })
  return { told, learn, result }
}

it("an edit goes on whose message the page has yet to catch up with, or to load", () => {
  drafts.writeEdit("1", keptOf(2))
  const behind = open(first)
  behind.learn(first, second)
  expect([behind.result.current.editing, behind.told]).toEqual([idOf(2), [placeOf(2)]])
  cleanup()
  const above = open(third)
  above.learn(second, third)
  expect([above.result.current.editing, above.told]).toEqual([idOf(2), [placeOf(2)]])
  expect(drafts.readEdit("1")).toEqual(keptOf(2))
})

it("what was written comes into the composer once its message is known to be gone", () => {
  drafts.writeEdit("1", keptOf(2))
  const { learn, told, result } = open(first)
  learn(first, third)
  expect(told).toEqual([placeOf(2), "changed", "messages.editKept"])
  expect([result.current.editing, drafts.readEdit("1")]).toEqual([null, null])
  cleanup()
  drafts.writeEdit("1", keptOf(2))
  const deleted = open(first, second)
  deleted.learn(first, second, log(3, "message-deleted", { target: idOf(2) }))
  expect(deleted.told).toEqual([placeOf(2), "changed", "messages.editLost"])
})

it("whoever edits another meanwhile keeps what was written", () => {
  drafts.writeEdit("1", keptOf(2))
  const { told, result } = open(first)
  act(() => result.current.open(placeOf(1)))
  expect(told).toEqual([placeOf(2), "changed", "messages.editKept"])
  expect([result.current.editing, drafts.readEdit("1")]).toEqual([idOf(1), null])
})

it("to edit what is being edited goes to its field, and takes nothing of it away", () => {
  const { result } = open(first, second)
  document.body.innerHTML = `<article data-message="${idOf(2)}"><textarea></textarea></article>`
  act(() => result.current.open(placeOf(2)))
  const { seq, ...change } = keptOf(2)
  act(() => result.current.keep(change))
  act(() => result.current.open(placeOf(2)))
  expect(document.activeElement?.tagName).toBe("TEXTAREA")
  expect([result.current.editing, drafts.readEdit("1")]).toEqual([idOf(2), { ...change, seq }])
  act(() => result.current.open(placeOf(1)))
  expect([result.current.editing, drafts.readEdit("1")]).toEqual([idOf(1), null])
})
