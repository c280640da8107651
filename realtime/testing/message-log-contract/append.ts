import type { JsonValue } from "../../json.ts"
import type { LogEntry, MessageLog } from "../../log/message-log.ts"
import { alice, bob, expect, rejection } from "../transport-contract/check.ts"
import {
  entries,
  entry,
  headOf,
  idsOf,
  type MessageLogCheck,
  range,
  readAll,
  reopenMany,
  room,
  seqsOf,
} from "./stage.ts"

const cyclic: JsonValue[] = []
cyclic.push(cyclic)

/** Numbers, duplicates, groups and clocks. */
export const appendChecks = {
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
    const { mark: _, ...head } = page.head
    expect("the page", { head, messages: page.messages }, { head: { epoch, seq: 2, first: 1 }, messages })
    ;(page.messages[0]?.payload as { text: string }).text = "changed by a reader"
    expect("the page again", (await log.readBefore(room, null, 10)).messages, messages)
  },

  "accepts a group of nothing, and one of a thousand": async ({ log }) => {
    expect("nothing", await log.append([]), [])
    const group = entries(1_000)
    expect("the thousand", seqsOf(await log.append(group)), range(1, 1_000))
    expect("their order", idsOf(await readAll(log)), idsOf(group))
    expect("the newest", seqsOf((await log.readBefore(room, null, 1)).messages), [1_000])
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
} satisfies Record<string, MessageLogCheck>
