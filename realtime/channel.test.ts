import { describe, expect, it } from "vitest"
import * as z from "zod/mini"
import {
  defineChannel,
  matchChannel,
  maxChannelNameLength,
  resolveChannel,
  schemaOf,
  validate,
} from "./channel.ts"
import { isRealtimeError } from "./errors.ts"
import fc from "./testing/fast-check.ts"
import { isKeepable } from "./text.ts"

const room = defineChannel("room:{room}", { messages: { said: z.object({ text: z.string() }) } })
const thread = defineChannel("room:{room}:thread:{thread}", { messages: {} })
const lobby = defineChannel("lobby", { messages: {} })
const channels = { room, thread, lobby }

describe("a channel's name", () => {
  it.each([
    ["42", "room:42"],
    ["日本語の部屋", "room:日本語の部屋"],
    ["a/b?c#d", "room:a/b?c#d"],
    ["a:b", "room:a%3ab"],
    ["50%", "room:50%25"],
    ["{x}", "room:%7bx%7d"],
    ["👩‍👩‍👧", "room:👩‍👩‍👧"],
    ["line\nbreak", "room:line%0abreak"],
  ])("of %j is %j, and leads back", (value, name) => {
    expect(room({ room: value }).name).toBe(name)
    expect(matchChannel(room, name)).toEqual({ room: value })
  })

  it("leads back to its parameters and is made by no others, whatever they are", () => {
    const text = fc.string({ minLength: 1, maxLength: 40, unit: "grapheme" }).filter(isKeepable)
    fc.assert(
      fc.property(text, text, text, (a, b, c) => {
        expect(matchChannel(thread, thread({ room: a, thread: b }).name)).toEqual({ room: a, thread: b })
        expect(matchChannel(room, thread({ room: a, thread: b }).name)).toBeNull()
        expect(thread({ room: a, thread: b }).name === thread({ room: a, thread: c }).name).toBe(b === c)
      }),
      { numRuns: 500 },
    )
  })

  it.each([
    ["room:"],
    ["room"],
    ["room:a:b"],
    ["xroom:a"],
    ["room:%zz"],
    ["room:%3A"],
    ["room:{a}"],
    ["room:\ud800"],
    ["room:\0"],
    ["room:%00"],
    ["room:a%00b"],
    [""],
  ])("%j is nobody's", (name) => {
    expect(matchChannel(room, name)).toBeNull()
  })

  it("is refused when a parameter is empty, no text or none that a store keeps, or the name too long", () => {
    for (const value of ["", 7, undefined, "\ud800", "\0", "a\0b", "x".repeat(maxChannelNameLength)]) {
      expect(() => room({ room: value as string })).toThrow(TypeError)
    }
  })
})

describe("defineChannel", () => {
  it.each(["", "a{b", "a}b", "{a}{b}", "{a}-{b}", "{a}:{a}", "50%"])("refuses the pattern %j", (pattern) => {
    expect(() => defineChannel(pattern, { messages: {} })).toThrow(TypeError)
  })

  it("needs no parameters where the pattern has none", () => {
    expect(lobby().name).toBe("lobby")
  })
})

describe("resolveChannel", () => {
  it("finds the definition and the parameters", () => {
    expect(resolveChannel(channels, "room:a:thread:b")).toMatchObject({
      kind: "thread",
      params: { room: "a", thread: "b" },
    })
  })

  it.each([["nowhere"], [""], [null], [undefined], [{ toString: "room:1" }], [["room:1"]]])(
    "refuses %j as unknown",
    (name) => {
      expect(() => resolveChannel(channels, name)).toThrow(
        expect.objectContaining({ code: "channel-unknown" }),
      )
    },
  )
})

it.each(["latest", "heard"] as const)("takes for `%s` nothing but signals of its own", (list) => {
  const signals = { moved: z.object({ x: z.number() }) }
  expect(defineChannel("board", { messages: {}, signals, [list]: ["moved"] })[list]).toEqual(["moved"])
  expect(defineChannel("board", { messages: {}, signals })[list]).toEqual([])
  expect(() => defineChannel("board", { messages: {}, signals, [list]: ["toString"] as never })).toThrow(
    `\`${list}\` names "toString", which is none of its signals`,
  )
})

describe("validate", () => {
  it("returns what the schema made of it", async () => {
    const trimmed = z.object({ text: z.string().check(z.trim()) })
    expect(await validate(trimmed, { text: " a ", more: 1 }, "it")).toEqual({ text: "a" })
  })

  it("says what is wrong and where", async () => {
    const error = await validate(room.messages.said, { text: 7 }, "the message").catch(
      (reason: unknown) => reason,
    )
    expect(isRealtimeError(error) && [error.code, error.message.includes('"text"')]).toEqual([
      "invalid-payload",
      true,
    ])
  })

  it.each(["toString", "__proto__", "constructor", "hasOwnProperty", 7, null])(
    "knows no event %j",
    (event) => {
      expect(schemaOf(room.messages, event)).toBeUndefined()
    },
  )
})
