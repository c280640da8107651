import { randomUUID } from "node:crypto"
import { isRealtimeError } from "../errors.ts"
import type { JsonValue } from "../json.ts"
import type { LogEntry, MessageLog } from "../log/message-log.ts"
import type { RealtimeMessage } from "../message.ts"
import { alice, bob, expect, rejection } from "./transport-contract/check.ts"

/** A store of a check's own and what plays with it. Disposing closes every log over it and removes it. */
export interface MessageLogStore extends AsyncDisposable {
  readonly log: MessageLog
  /** Another log over the same store, as another process has it; also after the first one was closed. */
  reopen(): Promise<MessageLog>
  /** What every log over this store takes for the time. */
  readonly clock: { now: number }
}

export interface MessageLogStage extends MessageLogStore {
  /** A log over another store. */
  openAnother(): Promise<MessageLog>
}

export type MessageLogCheck = (stage: MessageLogStage) => Promise<void>

/** Runs a check on stores of its own. */
export async function withMessageLog(
  open: () => Promise<MessageLogStore>,
  check: MessageLogCheck,
): Promise<void> {
  await using stack = new AsyncDisposableStack()
  const openStore = async () => stack.use(await open())
  const store = await openStore()
  await check({
    log: store.log,
    clock: store.clock,
    reopen: () => store.reopen(),
    openAnother: async () => (await openStore()).log,
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  })
}

const room = "room:1"

const entry = (channel: string = room, more: Partial<LogEntry> = {}): LogEntry => ({
  id: randomUUID(),
  channel,
  event: "said",
  payload: null,
  from: alice,
  ...more,
})

const entries = (count: number, channel: string = room) => Array.from({ length: count }, () => entry(channel))
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index)
const seqsOf = (messages: readonly { seq: number }[]) => messages.map(({ seq }) => seq)
const idsOf = (messages: readonly { id: string }[]) => messages.map(({ id }) => id)

/** All that is kept of a channel, page by page. */
async function readAll(log: MessageLog, channel: string = room): Promise<RealtimeMessage[]> {
  const messages: RealtimeMessage[] = []
  for (;;) {
    const after = messages.at(-1)?.seq ?? 0
    const page = await log.readAfter(channel, after, 200)
    if (page.messages.length === 0) return messages
    expect("a page past the one before", (page.messages[0]?.seq ?? 0) > after, true)
    messages.push(...page.messages)
  }
}

async function headOf(log: MessageLog, channel: string = room) {
  const [head] = await log.heads([channel])
  return { seq: head?.seq, first: head?.first }
}

async function reopenMany(stage: MessageLogStage, count: number): Promise<MessageLog[]> {
  const others = await Promise.all(Array.from({ length: count - 1 }, () => stage.reopen()))
  return [stage.log, ...others]
}

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

const cyclic: JsonValue[] = []
cyclic.push(cyclic)

/**
 * What every message log has to keep, each as a sentence. Rejects with what was seen instead.
 *
 * `broken-logs.ts` has, for each of these, a log that only it is sure to catch.
 */
export const messageLogChecks = {
  "numbers each channel's messages from 1, in the order of the group": async ({ log }) => {
    const group = [entry("a"), entry("b"), entry("a"), entry("a"), entry("b")]
    expect("the results", seqsOf(await log.append(group)), [1, 1, 2, 3, 2])
    expect("the next result", seqsOf(await log.append([entry("a")])), [4])
    expect("the order", idsOf(await readAll(log, "b")), [group[1]?.id, group[4]?.id])
  },

  "gives back what was appended, and nothing of it can be changed from outside": async ({ log, clock }) => {
    const sent: LogEntry[] = [
      { id: "first", channel: room, event: "said", payload: { text: "やあ" }, from: bob },
      { id: "second", channel: room, event: "left", payload: null, from: null },
    ]
    const results = await log.append(sent)
    const epoch = results[0]?.epoch ?? ""
    const answer = { epoch, at: clock.now, isDuplicate: false }
    expect("the results", results, [
      { ...answer, id: "first", seq: 1, from: bob },
      { ...answer, id: "second", seq: 2, from: null },
    ])
    const messages = structuredClone(sent).map((message, index) => ({
      ...message,
      seq: index + 1,
      epoch,
      at: clock.now,
    }))
    ;(sent[0]?.payload as { text: string }).text = "changed by the sender"
    const page = await log.readAfter(room, 0, 10)
    expect("the page", page, { head: { epoch, seq: 2, first: 1 }, messages })
    ;(page.messages[0]?.payload as { text: string }).text = "changed by a reader"
    expect("the page again", (await log.readBefore(room, null, 10)).messages, messages)
  },

  "accepts a group of nothing, and one of a thousand": async ({ log }) => {
    expect("nothing", await log.append([]), [])
    const group = entries(1_000)
    expect("the thousand", seqsOf(await log.append(group)), range(1, 1_000))
    expect("their order", idsOf(await readAll(log)), idsOf(group))
  },

  "stays without holes under many writers at once, of several processes": async (stage) => {
    const logs = await reopenMany(stage, 4)
    const channels = ["a", "b", "c"]
    const results = await Promise.all(
      range(1, 60).map(async (turn) => {
        const log = logs[turn % logs.length] as MessageLog
        const order = turn % 2 === 0 ? channels : channels.toReversed()
        const group = order.flatMap((channel) => entries(2, channel))
        const answers = await log.append(group)
        return answers.map(({ id, seq }, index) => ({ id, seq, channel: group[index]?.channel }))
      }),
    )
    for (const channel of channels) {
      const messages = await readAll(stage.log, channel)
      expect("the numbers", seqsOf(messages), range(1, 120))
      const told = results.flat().filter((result) => result.channel === channel)
      told.sort((left, right) => left.seq - right.seq)
      expect("what the writers were told", idsOf(told), idsOf(messages))
    }
  },

  "answers an id that the channel holds with the first one's result": async ({ log, clock }) => {
    const first = entry(room, { payload: "first", from: bob })
    const [original] = await log.append([first])
    clock.now += 1_000
    const again = await log.append([entry(), { ...first, payload: "second", from: alice }, entry()])
    expect("the answer", again[1], { ...original, isDuplicate: true })
    expect("the others", seqsOf(again), [2, 1, 3])
    expect("the numbers", seqsOf(await readAll(log)), [1, 2, 3])
    expect("the first one's payload", (await readAll(log))[0]?.payload, "first")
  },

  "answers an id that comes twice in one group once": async ({ log }) => {
    const twice = entry(room, { payload: "first", from: bob })
    const results = await log.append([twice, entry(), { ...twice, payload: "second", from: alice }, entry()])
    expect("the numbers", seqsOf(results), [1, 2, 1, 3])
    const said = results.map(({ isDuplicate }) => isDuplicate)
    expect("which is the duplicate", said, [false, false, true, false])
    expect("the answer", results[2], { ...results[0], isDuplicate: true })
    expect(
      "the kept",
      (await readAll(log)).map(({ payload }) => payload),
      ["first", null, null],
    )
  },

  "answers groups with the same ids at once as one: the other is told duplicates": async (stage) => {
    const logs = await reopenMany(stage, 4)
    for (const _ of range(1, 8)) {
      const group = [...entries(3, "a"), ...entries(3, "b")]
      const answers = await Promise.all(logs.map((log) => log.append(group)))
      for (const [index] of group.entries()) {
        const same = answers.map((answer) => answer[index])
        expect("the seq", new Set(same.map((result) => result?.seq)).size, 1)
        expect("the new ones", same.filter((result) => result?.isDuplicate === false).length, 1)
      }
    }
    for (const channel of ["a", "b"]) {
      expect("the numbers", seqsOf(await readAll(stage.log, channel)), range(1, 24))
    }
  },

  "takes an id for another one in another channel, and by every letter": async ({ log }) => {
    const ids = ["id", "ID", "id ", "íd", "x".repeat(200)]
    for (const channel of ["a", "b"]) {
      const results = await log.append(ids.map((id) => entry(channel, { id })))
      expect("the numbers", seqsOf(results), range(1, 5))
      expect(
        "the duplicates",
        results.filter(({ isDuplicate }) => isDuplicate),
        [],
      )
    }
    expect("the kept", idsOf(await readAll(log, "a")), ids)
  },

  "keeps all of a group or nothing of it": async ({ log }) => {
    await log.append([entry()])
    const impossible = [
      { payload: cyclic },
      { payload: undefined as unknown as JsonValue },
      { id: "\ud800" },
      { event: "a\u0000" },
      { channel: "room:\udc00" },
    ]
    for (const wrong of impossible) {
      const group = [entry(), entry("new"), entry(room, wrong), entry()]
      expect("the error", (await rejection(log.append(group))) instanceof TypeError, true)
    }
    expect("the heads", await Promise.all([headOf(log), headOf(log, "new")]), [
      { seq: 1, first: 1 },
      { seq: 0, first: 1 },
    ])
    expect("the next", seqsOf(await log.append([entry(), entry("new")])), [2, 1])
  },

  "stamps messages by its clock, which never goes back within a channel": async (stage) => {
    const { log, clock } = stage
    const other = await stage.reopen()
    const start = clock.now
    await log.append([entry("a")])
    clock.now = start - 60_000
    const [late, fresh] = await other.append([entry("a"), entry("b")])
    expect("the channel that was later", late?.at, start)
    expect("the channel that is new", fresh?.at, start - 60_000)
    await log.trim({ maxMessagesPerChannel: 0 })
    expect("after trimming", (await log.append([entry("a")]))[0]?.at, start)
    clock.now = start + 5
    expect("later", (await log.append([entry("a")]))[0]?.at, start + 5)
  },

  "has one epoch for all channels, as long as the store lives": async (stage) => {
    const [first] = await stage.log.append([entry("a")])
    const { epoch } = first ?? {}
    expect("it has one", typeof epoch === "string" && epoch.length >= 16, true)
    await stage.log.trim({ maxMessagesPerChannel: 0 })
    await stage.log.close()
    const log = await stage.reopen()
    const [second] = await log.append([entry("b")])
    const heads = await log.heads(["a", "b", "unknown"])
    const page = await log.readAfter("b", 0, 10)
    const seen = [second, ...heads, page.head, ...page.messages].map((value) => value?.epoch)
    expect(
      "the epochs",
      seen,
      Array.from(seen, () => epoch),
    )
  },

  "has another epoch than another store": async (stage) => {
    const another = await stage.openAnother()
    const [[here], [there]] = await Promise.all([stage.log.heads([room]), another.heads([room])])
    expect("they differ", here?.epoch === there?.epoch, false)
  },

  "keeps what it accepted when it is opened again": async (stage) => {
    const group = entries(3)
    await stage.log.append(group)
    await stage.log.close()
    const log = await stage.reopen()
    expect("the messages", idsOf(await readAll(log)), idsOf(group))
    expect("the ids", (await log.append(group.slice(0, 1)))[0]?.isDuplicate, true)
    expect("the next", seqsOf(await log.append([entry()])), [4])
  },

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

  "gives back events and senders of every alphabet": async ({ log }) => {
    const from = { id: "利用者/🧑", name: '\u0000\ud800 O\'Neil \\ "x"' }
    await log.append([entry(room, { event: "発言:👋 '\"\\", from }), entry(room, { from: null })])
    const [first, second] = await readAll(log)
    expect("the event", first?.event, "発言:👋 '\"\\")
    expect("the sender", first?.from, from)
    expect("no sender", second?.from, null)
  },

  "trims by age: what is older than allowed goes": async ({ log, clock }) => {
    const start = clock.now
    for (const minute of range(0, 9)) {
      clock.now = start + minute * 60_000
      await log.append([entry("a"), ...(minute < 2 ? [entry("old")] : [])])
    }
    expect("what is as old as allowed stays", await log.trim({ maxAgeMs: 9 * 60_000 }), 0)
    expect("the removed", await log.trim({ maxAgeMs: 3 * 60_000 }), 6 + 2)
    expect("a", seqsOf(await readAll(log, "a")), range(7, 10))
    expect("old", await headOf(log, "old"), { seq: 2, first: 3 })
    clock.now = start + 20 * 60_000
    await log.append([entry("old")])
    expect("the rest", await log.trim({ maxAgeMs: 60_000 }), 4)
    expect("the new one", seqsOf(await readAll(log, "old")), [3])
  },

  "trims by count: the newest of each channel stay": async ({ log }) => {
    await log.append([...entries(10, "a"), ...entries(3, "b"), ...entries(4, "c")])
    expect("without a limit", await log.trim({}), 0)
    expect("the removed", await log.trim({ maxMessagesPerChannel: 3 }), 7 + 1)
    expect("a", seqsOf(await readAll(log, "a")), [8, 9, 10])
    expect("b", seqsOf(await readAll(log, "b")), [1, 2, 3])
    expect("c", seqsOf(await readAll(log, "c")), [2, 3, 4])
    expect("again", await log.trim({ maxMessagesPerChannel: 3 }), 0)
  },

  "trims by age and count together: what either removes goes": async ({ log, clock }) => {
    await log.append([...entries(4, "old"), ...entries(2, "both")])
    clock.now += 60_000
    await log.append(entries(6, "both"))
    expect("the removed", await log.trim({ maxAgeMs: 30_000, maxMessagesPerChannel: 5 }), 4 + 3)
    expect("old", await headOf(log, "old"), { seq: 4, first: 5 })
    expect("both", seqsOf(await readAll(log, "both")), range(4, 8))
  },

  "trims more than one step's worth, in one channel and in many": async ({ log }) => {
    await log.append(entries(2_500, "long"))
    await log.append(range(1, 120).flatMap((number) => entries(12, `room:${number}`)))
    expect("the removed", await log.trim({ maxMessagesPerChannel: 2 }), 2_498 + 1_200)
    expect("long", await headOf(log, "long"), { seq: 2_500, first: 2_499 })
    expect("a room", seqsOf(await readAll(log, "room:120")), [11, 12])
  },

  "never lets a head go back, also when all was trimmed": async (stage) => {
    const { log } = stage
    await log.append(entries(5))
    expect("the removed", await log.trim({ maxMessagesPerChannel: 0 }), 5)
    expect("the head", await headOf(log), { seq: 5, first: 6 })
    const page = await log.readAfter(room, 0, 10)
    expect(
      "the page",
      { ...page.head, messages: page.messages },
      { ...page.head, seq: 5, first: 6, messages: [] },
    )
    expect("of another log", await headOf(await stage.reopen()), { seq: 5, first: 6 })
    expect("the next", seqsOf(await log.append(entries(2))), [6, 7])
    expect("what is there", seqsOf((await log.readAfter(room, 2, 10)).messages), [6, 7])
    expect("the head then", await headOf(log), { seq: 7, first: 6 })
  },

  "knows the ids of what it keeps, and forgets those of what it trimmed": async ({ log }) => {
    const group = entries(4)
    await log.append(group)
    await log.trim({ maxMessagesPerChannel: 2 })
    const again = await log.append(group)
    expect("the numbers", seqsOf(again), [5, 6, 3, 4])
    expect(
      "the duplicates",
      again.map(({ isDuplicate }) => isDuplicate),
      [false, false, true, true],
    )
    expect("the kept", seqsOf(await readAll(log)), [3, 4, 5, 6])
  },

  "trims while others append and trim": async (stage) => {
    const logs = await reopenMany(stage, 3)
    const channels = ["a", "b"]
    const removed = await Promise.all([
      ...range(1, 30).map(async (turn) => {
        const order = turn % 2 === 0 ? channels : channels.toReversed()
        const group = order.flatMap((channel) => entries(3, channel))
        await logs[turn % 3]?.append(group)
        return 0
      }),
      ...range(1, 10).map(async (turn) => (await logs[turn % 3]?.trim({ maxMessagesPerChannel: 5 })) ?? 0),
    ])
    const last = await stage.log.trim({ maxMessagesPerChannel: 5 })
    const total = removed.reduce((sum, count) => sum + count, last)
    expect("the removed", total, 2 * 85)
    for (const channel of channels) {
      expect("the head", await headOf(stage.log, channel), { seq: 90, first: 86 })
      expect("the kept", seqsOf(await readAll(stage.log, channel)), range(86, 90))
    }
  },

  "closes once what is under way is done": async (stage) => {
    const appending = Promise.allSettled([stage.log.append([entry()])])
    await stage.log.close()
    expect("what was under way", await headOf(await stage.reopen()), { seq: 1, first: 1 })
    expect("its outcome", (await appending)[0]?.status, "fulfilled")
    await Promise.all([stage.log.close(), stage.log.close()])
  },

  "refuses every call after it was closed": async ({ log }) => {
    await log.close()
    const calls = [
      () => log.append([entry()]),
      () => log.readAfter(room, 0, 1),
      () => log.readBefore(room, null, 1),
      () => log.heads([room]),
      () => log.trim({}),
    ]
    for (const call of calls) {
      const error = await rejection(call())
      expect("the error", isRealtimeError(error) && [error.code, error.retryable], ["log-unavailable", true])
    }
  },
} satisfies Record<string, MessageLogCheck>

export type MessageLogPromise = keyof typeof messageLogChecks
