import type { JsonValue } from "../../json.ts"
import { markOf, type RealtimeMessage } from "../../message.ts"
import { maxPageBytes } from "../../packing.ts"
import { expect } from "../transport-contract/check.ts"
import { entries, entry, type MessageLogCheck, range, readAll, room, seqsOf } from "./stage.ts"

/** Every JSON shape, and the texts that databases are known to lose or change. */
const payloads: readonly JsonValue[] = [
  ...[null, true, false, 0, -1, 1.5, 1e21, 1e308, 5e-324, Number.MAX_SAFE_INTEGER, -0],
  ...[
    "",
    " ",
    "text",
    "日本語",
    "👩‍👩‍👧‍👦🇯🇵",
    "\u0000",
    "a\u0000b",
    "\ud800",
    "x\udc00y",
    "\\u0000",
    "\u2028\u2029",
    "\ufeff",
  ],
  ...["'", '"', "\\", "\n\r\t", "null", "{}", "%s $1 ?", "'; DROP TABLE log_messages; --", "か\u3099"],
  ...[[], {}, [null], [[], [{}]], { "": "" }, { b: 1, a: 2, 10: 3, 9: 4 }, { "\u0000": "\ud800" }],
  JSON.parse('{"__proto__":{"polluted":true},"constructor":null}') as JsonValue,
  { text: "x".repeat(100_000) },
  range(1, 200).reduce<JsonValue>((inner) => [inner], "deep"),
]

/** Pairs that a careless collation, normalisation, pattern or length limit takes for one. */
const channelNames: readonly string[] = [
  ...["room:1", "room:10", "Room:1", "room:1 ", " room:1", "room/1", "/", ":", "::", "room:%", "room:_"],
  ...["部屋:雑談", "部屋:が", "部屋:か\u3099", "部屋:ガ", "room:👋", "room:👋🏽", "room:é", "room:e\u0301"],
  ...[
    "room:'\"\\;",
    "room:{1,2}",
    "room:null",
    "x".repeat(511),
    `${"x".repeat(511)}a`,
    `${"x".repeat(511)}b`,
  ],
  ...["語".repeat(512), "😀".repeat(256)],
]

/** Pages, heads, and that what comes back is what was sent. */
export const readChecks = {
  "reads after a position, oldest first, within the limit": async ({ log }) => {
    await log.append(entries(7))
    const seqs = async (seq: number, limit: number) =>
      seqsOf((await log.readAfter(room, seq, limit)).messages)
    expect("from the start", await seqs(0, 3), [1, 2, 3])
    expect("from the middle", await seqs(3, 3), [4, 5, 6])
    expect("to the end", await seqs(5, 3), [6, 7])
    expect("at the end", await seqs(7, 3), [])
    expect("past the end", await seqs(70, 3), [])
    expect("more than there are", await seqs(0, 1_000), range(1, 7))
  },

  "reads before a position, oldest first, within the limit": async ({ log }) => {
    await log.append(entries(7))
    const seqs = async (seq: number | null, limit: number) =>
      seqsOf((await log.readBefore(room, seq, limit)).messages)
    expect("the newest", await seqs(null, 3), [5, 6, 7])
    expect("from the middle", await seqs(5, 3), [2, 3, 4])
    expect("to the start", await seqs(2, 3), [1])
    expect("before the start", await seqs(1, 3), [])
    expect("past the end", await seqs(70, 3), [5, 6, 7])
    expect("more than there are", await seqs(null, 1_000), range(1, 7))
  },

  "reads no message with a limit of 0, and the head all the same": async ({ log }) => {
    await log.append(entries(2))
    for (const page of [await log.readAfter(room, 0, 0), await log.readBefore(room, null, 0)]) {
      expect("the messages", page.messages, [])
      expect("the head", { seq: page.head.seq, first: page.head.first }, { seq: 2, first: 1 })
    }
  },

  "tells by a mark which message stands at a position": async ({ log, clock }) => {
    await log.append(entries(1))
    clock.now += 1
    await log.append(entries(2))
    const { messages } = await log.readAfter(room, 0, 10)
    const marks = [undefined, ...messages.map(markOf)]
    for (const seq of [0, 1, 2, 3]) expect(`at ${seq}`, (await log.readAfter(room, seq, 1)).mark, marks[seq])
    expect("past the end", (await log.readAfter(room, 4, 1)).mark, undefined)
    const newest = markOf(messages.at(-1) as RealtimeMessage)
    const heads = [(await log.heads([room]))[0], (await log.readAfter(room, 0, 1)).head]
    for (const head of [...heads, (await log.readBefore(room, 2, 1)).head])
      expect("the head's", head?.mark, newest)
    clock.now += 1_000
    await log.trim({ maxAgeMs: 1 })
    expect("of what isn't kept", (await log.readAfter(room, 2, 1)).mark, undefined)
    expect("of a head that isn't kept", (await log.heads([room]))[0]?.mark, undefined)
  },

  "reads no more bytes at once than a page may have": async ({ log }) => {
    // In UTF-8 three times as long as it is.
    const large = { payload: "語".repeat(100_000) }
    for (const _ of range(1, 4)) await log.append([entry(room, large), entry(room, large)])
    await log.append([entry(room, { payload: "語".repeat(maxPageBytes / 2) }), entry()])
    const after = async (seq: number) => seqsOf((await log.readAfter(room, seq, 100)).messages)
    const before = async (seq: number | null) => seqsOf((await log.readBefore(room, seq, 100)).messages)
    expect("from the start", await after(0), [1, 2, 3])
    expect("from the middle", await after(3), [4, 5, 6])
    expect("up to one that is larger than a page", await after(6), [7, 8])
    expect("that one", await after(8), [9])
    expect("the rest", await after(9), [10])
    expect("the newest", await before(null), [10])
    expect("the largest", await before(10), [9])
    expect("before it", await before(9), [6, 7, 8])
    expect("with its head", (await log.readAfter(room, 0, 100)).head.seq, 10)
  },

  "hands out each page with the head of that moment": async (stage) => {
    const writer = await stage.reopen()
    let isWriting = true
    const write = async () => {
      try {
        for (const _ of range(1, 60)) await writer.append(entries(3))
      } finally {
        isWriting = false
      }
    }
    const read = async () => {
      while (isWriting) {
        const { head, messages } = await stage.log.readBefore(room, null, 10)
        expect("the newest of the page", messages.at(-1)?.seq ?? 0, head.seq)
        const rest = await stage.log.readAfter(room, Math.max(0, head.seq - 5), 1_000)
        expect("the last after a position", rest.messages.at(-1)?.seq ?? 0, rest.head.seq)
      }
    }
    await Promise.all([write(), read()])
  },

  "tells the heads of many channels, in their order, known or not": async ({ log }) => {
    expect("of none", await log.heads([]), [])
    const names = range(1, 500).map((number) => `room:${number}`)
    await log.append(names.flatMap((name, index) => entries(1 + (index % 3), name)))
    const asked = ["unknown", ...names.toReversed(), "room:7", "room:7"]
    const heads = await log.heads(asked)
    const expected = asked.map((name) => (name === "unknown" ? 0 : 1 + ((Number(name.slice(5)) - 1) % 3)))
    expect("the heads", seqsOf(heads), expected)
    expect("the unknown one", { ...heads[0], epoch: "" }, { epoch: "", seq: 0, first: 1 })
    const page = await log.readAfter("unknown", 0, 10)
    expect("its page", { ...page, head: heads[0] }, { head: page.head, messages: [] })
  },

  "keeps channels apart by every letter of their names": async ({ log }) => {
    const group = channelNames.map((channel) => entry(channel))
    expect(
      "the results",
      seqsOf(await log.append(group)),
      Array.from(group, () => 1),
    )
    expect(
      "the heads",
      seqsOf(await log.heads(channelNames)),
      Array.from(group, () => 1),
    )
    for (const { id, channel } of group) {
      const { messages } = await log.readAfter(channel, 0, 10)
      expect(
        `the messages of ${channel}`,
        messages.map((message) => [message.id, message.channel]),
        [[id, channel]],
      )
    }
  },

  "gives back every payload as JSON says it": async ({ log }) => {
    await log.append(payloads.map((payload) => entry(room, { payload })))
    const texts = (await readAll(log)).map(({ payload }) => JSON.stringify(payload))
    for (const [index, payload] of payloads.entries()) {
      expect("the payload", texts[index], JSON.stringify(payload))
    }
  },

  "holds nothing under a name that no store keeps, and answers for the others beside it": async ({ log }) => {
    // What a store would make of the others, by cutting or replacing.
    await log.append(["room", "room:\ufffd"].map((channel) => entry(channel)))
    const names = ["room", "room\0", "\0", "room:\ufffd", "room:\ud800", "room:\udc00x"]
    const heads = await log.heads(names)
    expect(
      "the heads",
      heads.map(({ seq }) => seq),
      [1, 0, 0, 1, 0, 0],
    )
    const pages = await Promise.all(
      names.flatMap((name) => [log.readAfter(name, 0, 10), log.readBefore(name, null, 10)]),
    )
    expect(
      "the pages",
      pages.map(({ messages }) => messages.length),
      [1, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0],
    )
    expect(
      "the pages' heads",
      pages.map(({ head }) => head.seq),
      [1, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0],
    )
  },

  "gives back events and senders of every alphabet": async ({ log }) => {
    const from = { id: "利用者/🧑", name: '\u0000\ud800 O\'Neil \\ "x"' }
    await log.append([entry(room, { event: "発言:👋 '\"\\", from }), entry(room, { from: null })])
    const [first, second] = await readAll(log)
    expect("the event", first?.event, "発言:👋 '\"\\")
    expect("the sender", first?.from, from)
    expect("no sender", second?.from, null)
  },
} satisfies Record<string, MessageLogCheck>
