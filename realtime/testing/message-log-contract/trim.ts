import { expect } from "../transport-contract/check.ts"
import {
  entries,
  entry,
  headOf,
  type MessageLogCheck,
  range,
  readAll,
  reopenMany,
  room,
  seqsOf,
} from "./stage.ts"

/** Retention. */
export const trimChecks = {
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

  "trims the named channels alone, one of which may not be there": async ({ log, clock }) => {
    await log.append([...entries(4, "a"), ...entries(3, "b"), ...entries(5, "c")])
    const channels = ["a", "c", "nowhere", "no\0name"]
    expect("none named", await log.trim({ channels: [], maxMessagesPerChannel: 0 }), 0)
    expect("by count", await log.trim({ channels, maxMessagesPerChannel: 2 }), 2 + 3)
    expect("all of one", await log.trim({ channels: ["a"], maxMessagesPerChannel: 0 }), 2)
    expect("a", await headOf(log, "a"), { seq: 4, first: 5 })
    expect("b", seqsOf(await readAll(log, "b")), [1, 2, 3])
    clock.now += 60_000
    expect("by age", await log.trim({ channels, maxAgeMs: 30_000 }), 2)
    expect("b, as old", seqsOf(await readAll(log, "b")), [1, 2, 3])
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
} satisfies Record<string, MessageLogCheck>
