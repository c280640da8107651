import { describe, expect, it } from "vitest"
import type { RoomMessage } from "#lib/chat/conversation.ts"
import { toRead } from "./caught-up.ts"

/** By whom, and what. */
const message = (by: string, event = "text-sent") =>
  ({
    id: crypto.randomUUID(),
    seq: 1,
    epoch: "e",
    at: 0,
    event,
    payload: {},
    from: { id: by },
  }) as RoomMessage

const messages = [
  ...[message("bob"), message("bob"), message("me")],
  ...[message("bob", "reaction-set"), message("carol", "message-edited"), message("carol")],
]

describe("what a room caught up with", () => {
  it.each([
    { count: 1, expected: 1 },
    { count: 3, expected: 1 },
    { count: 4, expected: 1 },
    { count: 6, expected: 3 },
  ])("is what others wrote: of the last $count it is $expected", ({ count, expected }) => {
    expect(toRead({ count, recovered: true }, messages, "me")).toEqual({ count: expected, recovered: true })
  })

  it("is nothing where one wrote all of it oneself, and may not be all all the same", () => {
    expect(toRead({ count: 1, recovered: false }, [message("me")], "me")).toEqual({
      ...{ count: 0, recovered: false },
    })
  })

  it("is unknown where nothing was interrupted", () => {
    expect(toRead(null, messages, "me")).toBeNull()
    expect(toRead({ count: 0, recovered: true }, messages, "me")).toEqual({ count: 0, recovered: true })
  })
})
