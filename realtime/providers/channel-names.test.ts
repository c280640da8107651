import { describe, expect, it } from "vitest"
import { defineChannel } from "../channel.ts"
import fc from "../testing/fast-check.ts"
import {
  messagesChannel as ablyMessages,
  signalsChannel as ablySignals,
  capabilityOf,
} from "./ably/mapping.ts"
import { messagesChannel as pusherMessages, presenceChannel as pusherPresence } from "./pusher/mapping.ts"
import { channelRoom, presenceRoom } from "./socketio/mapping.ts"

/** Where a channel travels at each provider, and what the provider takes for a name there. */
const providers = {
  socketio: { names: [channelRoom, presenceRoom], allowed: /^(channel|presence):/ },
  pusher: {
    names: [pusherMessages, pusherPresence],
    allowed: /^(private|presence)-(?!encrypted-|cache-)[A-Za-z0-9_\-=@,.;]{1,155}$/,
  },
  ably: { names: [ablyMessages, ablySignals], allowed: /^(rt|rt-signals):[^*\r\n]{1,2000}$/ },
}

const definitions = [
  defineChannel("room:{room}", { messages: {} }),
  defineChannel("{org}:rooms:{room}", { messages: {} }),
]

/** What people call rooms, and what a provider might take for its own. */
const piece = fc.oneof(
  fc.constantFrom(
    "日本語",
    "部屋",
    "か\u3099",
    "👩‍👩‍👧",
    "👍🏽",
    "🇯🇵",
    "/",
    ":",
    "%",
    "%3a",
    "=",
    ";",
    "*",
    "#",
    "?",
    "&",
    "+",
    " ",
  ),
  fc.constantFrom(
    "private-",
    "presence-",
    "encrypted-",
    "cache-",
    "[meta]",
    "=d.",
    "%2A",
    "%25",
    "\n",
    "{",
    "}",
    "\\",
    "\u2028",
  ),
  fc.string({ unit: "grapheme", maxLength: 8 }),
)
const roomName = fc
  .array(piece, { minLength: 1, maxLength: 60 })
  .map((pieces) => [...pieces.join("")].slice(0, 200).join(""))
  .filter((name) => name !== "" && name.isWellFormed())
const longName = fc
  .array(fc.constantFrom("あ", "い", "👩", "x"), { minLength: 200, maxLength: 200 })
  .map((all) => all.join(""))

/** Our names of a room, by each definition that they aren't too long for. */
const namesOf = (room: string) =>
  definitions.flatMap((definition) => {
    try {
      return [definition({ room, org: room }).name]
    } catch {
      return []
    }
  })

describe.each(Object.entries(providers))("a room's name at %s", (_, { names, allowed }) => {
  const placesOf = (room: string) => namesOf(room).flatMap((name) => names.map((nameAt) => nameAt(name)))

  it("is one that the provider takes, whatever people call the room", () => {
    fc.assert(
      fc.property(fc.oneof(roomName, longName), (room) => {
        for (const place of placesOf(room)) expect(place).toMatch(allowed)
      }),
      { numRuns: 300 },
    )
  })

  it("is no other room's, nor another channel's of the same room", () => {
    fc.assert(
      fc.property(fc.oneof(roomName, longName), fc.oneof(roomName, longName), (a, b) => {
        const places = a === b ? placesOf(a) : [...placesOf(a), ...placesOf(b)]
        expect(new Set(places).size).toBe(places.length)
      }),
      { numRuns: 300 },
    )
  })

  it.each([
    "日本語の部屋",
    "👩‍👩‍👧👍🏽🇯🇵",
    "a/b/c",
    "a:b:c",
    "あ".repeat(200),
    "👍".repeat(100),
    "x".repeat(200),
  ])("is known for %j", (room) => {
    expect(placesOf(room).length).toBeGreaterThanOrEqual(names.length)
    for (const place of placesOf(room)) expect(place).toMatch(allowed)
  })
})

it("a capability of one room's at Ably covers no other", () => {
  const rights = { signal: true, presence: true }
  fc.assert(
    fc.property(roomName, (room) => {
      // Wildcards are whole segments of "*"; a segment may hold anything else.
      for (const resource of namesOf(room).flatMap((name) => Object.keys(capabilityOf(name, rights))))
        expect(resource.split(":")).not.toContain("*")
    }),
  )
})
