import { describe, expect, it } from "vitest"
import { type MemberEvent, type ProviderEvent, webhookWindowMs } from "../publisher.ts"
import { type PresenceCounts, presenceLifetimeMs } from "../server/presence-counts.ts"

export interface PresenceCountsStore {
  name: string
  /** Empty, for one check; the clock is the check's. */
  open(now: () => number): Promise<{ counts: PresenceCounts } & AsyncDisposable>
}

const room = "room:1"
const start = 1_800_000_000_000

const joined = (at: number, userId: string, connection = `${userId}-1`): MemberEvent => ({
  kind: "member-joined",
  channel: room,
  at: start + at,
  connection,
  userId,
})
const left = (at: number, userId: string, connection = `${userId}-1`): MemberEvent => ({
  ...joined(at, userId, connection),
  kind: "member-left",
})

/** Counts kept from webhooks, wherever they are kept. */
export function describePresenceCounts({ name, open }: PresenceCountsStore): void {
  describe(`presence counts (${name})`, () => {
    async function countAfter(events: readonly ProviderEvent[], now = start): Promise<number | undefined> {
      let clock = start
      await using opened = await open(() => clock)
      for (const event of events) await opened.counts.record("pusher", [event])
      clock = now
      return (await opened.counts.count([room]))[0]
    }

    it.each<[string, number, ProviderEvent[]]>([
      ["who came is there", 1, [joined(0, "a")]],
      ["a person's two connections are one person", 1, [joined(0, "a"), joined(1, "a", "a-2")]],
      [
        "the first of two connections to leave leaves the person there",
        1,
        [joined(0, "a"), joined(1, "a", "a-2"), left(2, "a")],
      ],
      ["who left is gone", 1, [joined(0, "a"), joined(1, "b"), left(2, "a")]],
      ["a webhook that comes twice changes nothing", 1, [joined(0, "a"), joined(0, "a")]],
      [
        "one that is sent again after the departure brings nobody back",
        0,
        [joined(0, "a"), left(1, "a"), joined(0, "a")],
      ],
      ["a departure that overtakes the arrival counts", 0, [left(1, "a"), joined(0, "a")]],
      ["who comes again by the same connection is there", 1, [joined(0, "a"), left(1, "a"), joined(2, "a")]],
      [
        "a vacated channel has nobody",
        0,
        [joined(0, "a"), joined(1, "b"), { kind: "channel-vacated", channel: room, at: start + 2 }],
      ],
      [
        "who came after it was vacated is there",
        1,
        [joined(5, "a"), { kind: "channel-vacated", channel: room, at: start + 2 }],
      ],
      [
        "an occupied channel says nothing of people",
        0,
        [{ kind: "channel-occupied", channel: room, at: start }],
      ],
    ])("%s", async (_, people, events) => {
      expect(await countAfter(events)).toBe(people)
    })

    it("whose departure nobody told is gone after a day", async () => {
      expect(await countAfter([joined(0, "a")], start + presenceLifetimeMs)).toBe(1)
      expect(await countAfter([joined(0, "a")], start + presenceLifetimeMs + 1)).toBe(0)
    })

    it("forgets who left once no webhook of their arrival is taken any more", async () => {
      let clock = start
      await using opened = await open(() => clock)
      await opened.counts.record("pusher", [joined(0, "a"), left(1, "a")])
      clock = start + webhookWindowMs + 2
      await opened.counts.record("pusher", [joined(webhookWindowMs, "b")])
      expect(await opened.counts.count([room])).toEqual([1])
    })

    it("keeps channels and providers apart, and counts a person on two providers once", async () => {
      await using opened = await open(() => start)
      const { counts } = opened
      await counts.record("pusher", [joined(0, "a"), { ...joined(0, "b"), channel: "room:2" }])
      await counts.record("ably", [
        joined(1, "a"),
        { kind: "channel-vacated", channel: "room:2", at: start + 9 },
      ])
      expect(await counts.count(["room:2", room, "room:3"])).toEqual([1, 1, 0])
      await counts.record("pusher", [{ kind: "channel-vacated", channel: room, at: start + 9 }])
      expect(await counts.count([room])).toEqual([1])
      expect(await counts.count([])).toEqual([])
    })
  })
}
