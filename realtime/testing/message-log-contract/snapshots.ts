import type { MessageLog } from "../../log/message-log.ts"
import { keptBehind, type SnapshotStore, type SnapshotWrite } from "../../log/snapshot-store.ts"
import { expect } from "../transport-contract/check.ts"
import {
  entries,
  entry,
  headOf,
  type MessageLogCheck,
  type MessageLogStage,
  range,
  readAll,
  reopenMany,
  room,
  seqsOf,
} from "./stage.ts"

/** A log may keep no snapshots, and says so by having none. */
const withSnapshots =
  (check: (snapshots: SnapshotStore, stage: MessageLogStage) => Promise<void>): MessageLogCheck =>
  async (stage) => {
    if (stage.log.snapshots) await check(stage.log.snapshots, stage)
  }

const bytesOf = (...bytes: number[]) => Uint8Array.from(bytes)

async function epochOf(log: MessageLog): Promise<string> {
  const [head] = await log.heads([room])
  return head?.epoch ?? ""
}

/** A snapshot up to there, written onto the one at `ifUpTo`. */
async function write(log: MessageLog, upTo: number, ifUpTo: number, more: Partial<SnapshotWrite> = {}) {
  const epoch = await epochOf(log)
  const snapshot = { epoch, upTo, ifUpTo, bytes: bytesOf(upTo % 256), ...more }
  return (log.snapshots as SnapshotStore).write(room, snapshot)
}

/** Where the newest snapshot and the one before it reach. */
async function upTosOf(snapshots: SnapshotStore) {
  const { snapshot } = await snapshots.read(room)
  const { snapshot: previous } = await snapshots.read(room, snapshot?.upTo)
  return [snapshot?.upTo, previous?.upTo]
}

const day = keptBehind.ms

/** What the messages of a channel amount to, beside them. */
export const snapshotChecks = {
  "keeps a snapshot and the one before it, byte by byte": withSnapshots(async (snapshots, stage) => {
    const { log } = stage
    await log.append(entries(30))
    const epoch = await epochOf(log)
    for (const nowhere of [room, "other", "room:\udc00"])
      expect("nothing", await snapshots.read(nowhere), { epoch, snapshot: null })
    const bytes = Uint8Array.from({ length: 70_000 }, (_, index) => index % 256)
    const given = bytes.slice()
    expect("the first", await write(log, 10, 0, { bytes: given }), {
      isWritten: true,
      epoch,
      upTo: 10,
      seq: 30,
    })
    given.fill(0)
    const other = (await stage.reopen()).snapshots as SnapshotStore
    const { snapshot } = await other.read(room)
    expect("its bytes", snapshot && [snapshot.upTo, Buffer.compare(snapshot.bytes, bytes)], [10, 0])
    snapshot?.bytes.fill(0)
    expect("its bytes then", Buffer.compare((await snapshots.read(room)).snapshot?.bytes ?? given, bytes), 0)
    await write(log, 20, 10, { bytes: bytesOf() })
    expect("an empty one", await other.read(room), { epoch, snapshot: { upTo: 20, bytes: bytesOf() } })
    expect("the one before", (await other.read(room, 20)).snapshot?.upTo, 10)
    expect("none before that", (await other.read(room, 10)).snapshot, null)
    await write(log, 30, 20)
    expect("what is kept", await upTosOf(snapshots), [30, 20])
    expect("that the first is gone", (await snapshots.read(room, 20)).snapshot, null)
    expect("another channel", await snapshots.read("other"), { epoch, snapshot: null })
  }),

  "writes a snapshot onto the one that is named, or not at all, and says what is there": withSnapshots(
    async (snapshots, { log }) => {
      await log.append(entries(20))
      const epoch = await epochOf(log)
      const there = { isWritten: false, epoch, upTo: 10, seq: 20 }
      await write(log, 10, 0)
      expect("onto none", await write(log, 12, 0), there)
      expect("onto another", await write(log, 12, 9), there)
      expect("backwards", await write(log, 9, 10), there)
      expect("of the same place", await write(log, 10, 10), there)
      expect("beyond the head", await write(log, 21, 10), there)
      expect("of another life", await write(log, 12, 10, { epoch: "another" }), there)
      const nowhere = { isWritten: false, epoch, upTo: 0, seq: 0 }
      const first = { epoch, upTo: 1, ifUpTo: 0, bytes: bytesOf(1) }
      expect("without messages", await snapshots.write("other", first), nowhere)
      expect("of what nobody can name", await snapshots.write("room:\udc00", first), nowhere)
      expect("what is there", await upTosOf(snapshots), [10, undefined])
      expect("up to the head", await write(log, 20, 10), { isWritten: true, epoch, upTo: 20, seq: 20 })
    },
  ),

  "takes one of many snapshots that are written at once, by several processes": withSnapshots(
    async (snapshots, stage) => {
      const logs = await reopenMany(stage, 3)
      await stage.log.append(entries(40))
      let upTo = 0
      for (const _ of range(1, 4)) {
        const results = await Promise.all(
          range(1, 9).map((turn) =>
            write(logs[turn % 3] as MessageLog, upTo + turn, upTo, { bytes: bytesOf(turn) }),
          ),
        )
        const written = results.filter(({ isWritten }) => isWritten)
        expect("how many were written", written.length, 1)
        const told = new Set(results.map((result) => result.upTo))
        expect("what all were told", told, new Set([written[0]?.upTo]))
        const { snapshot } = await snapshots.read(room)
        expect("what is there", snapshot, {
          upTo: written[0]?.upTo,
          bytes: bytesOf((snapshot?.upTo ?? 0) - upTo),
        })
        upTo = snapshot?.upTo ?? 0
      }
    },
  ),

  "trims nothing that follows a snapshot, and leaves what a reader a little behind it needs": withSnapshots(
    async (snapshots, { log, clock }) => {
      await log.append(entries(500))
      clock.now += day + 1
      await log.append(entries(1_000))
      clock.now += 1
      await log.append([...entries(100), ...entries(5, "other")])
      await write(log, 400, 0)
      await write(log, 1_550, 400)
      clock.now += 100 * day
      expect("by age", await log.trim({ maxAgeMs: 1 }), 550 + 5)
      expect("what is left", await headOf(log), { seq: 1_600, first: 551 })
      expect("by count", await log.trim({ maxMessagesPerChannel: 10 }), 0)
      expect("of it alone", await log.trim({ maxMessagesPerChannel: 10, maxAgeMs: 1, channels: [room] }), 0)
      expect("the snapshots", await upTosOf(snapshots), [1_550, 400])
      // Nothing is a day younger than the message at a snapshot, whatever the clock does afterwards.
      await log.append(entries(1))
      await write(log, 1_601, 1_550)
      expect("by age again", await log.trim({ maxAgeMs: 1 }), 1_600 - 551 + 1)
      clock.now -= 50 * day
      await log.append(entries(3))
      expect("once the clock went back", await log.trim({ maxAgeMs: 1, maxMessagesPerChannel: 1 }), 0)
      expect("what is left then", seqsOf(await readAll(log)), range(1_601, 1_604))
    },
  ),

  "trims less than a snapshot covers where retention says less": withSnapshots(async (_, { log, clock }) => {
    await log.append(entries(10))
    clock.now += 60_000
    await log.append(entries(1_990))
    await write(log, 1_900, 0)
    expect("without a limit", await log.trim({}), 0)
    expect("by age", await log.trim({ maxAgeMs: 30_000 }), 10)
    expect("by count", await log.trim({ maxMessagesPerChannel: 1_950 }), 40)
    expect("what is left", await headOf(log), { seq: 2_000, first: 51 })
  }),

  "removes what snapshots cover when it is asked to, and of other channels nothing": withSnapshots(
    async (snapshots, { log, clock }) => {
      await log.append([...entries(2_600), ...entries(30, "other")])
      await write(log, 2_500, 0)
      expect("elsewhere", await log.trim({ covered: true, channels: ["other", "nowhere"] }), 0)
      expect("the removed", await log.trim({ covered: true }), 1_500)
      expect("what is left", await headOf(log), { seq: 2_600, first: 1_501 })
      expect("the other", await headOf(log, "other"), { seq: 30, first: 1 })
      expect("again", await log.trim({ covered: true }), 0)
      clock.now += 2 * day
      await log.append([entry()])
      await write(log, 2_601, 2_500)
      expect("of it alone", await log.trim({ covered: true, channels: [room] }), 1_100)
      expect("the tail", seqsOf((await log.readAfter(room, 2_600, 10)).messages), [2_601])
      expect("the snapshots", await upTosOf(snapshots), [2_601, 2_500])
    },
  ),

  "ends a channel with its snapshots, which may begin anew": withSnapshots(async (snapshots, { log }) => {
    await log.append([...entries(20), ...entries(4, "other")])
    await write(log, 10, 0)
    await write(log, 15, 10)
    const end = { maxMessagesPerChannel: 0, channels: [room] }
    expect("the removed", await log.trim(end), 20)
    expect("what is kept", await upTosOf(snapshots), [undefined, undefined])
    expect("the head", await headOf(log), { seq: 20, first: 21 })
    // Whoever was about to write it may do so still.
    expect("one that came late", (await write(log, 20, 0)).isWritten, true)
    expect("the removed again", await log.trim(end), 0)
    expect("what is kept then", await upTosOf(snapshots), [undefined, undefined])
    await log.append(entries(3))
    expect("retention, as without one", await log.trim({ maxMessagesPerChannel: 1 }), 2 + 3)
    expect("the next", (await write(log, 23, 0)).isWritten, true)
  }),

  "counts the snapshots to the life of the log": withSnapshots(async (snapshots, { log }) => {
    await log.append(entries(5))
    const before = await epochOf(log)
    await write(log, 3, 0)
    const epoch = await log.renew()
    expect("what is there", await snapshots.read(room), { epoch, snapshot: { upTo: 3, bytes: bytesOf(3) } })
    const there = { isWritten: false, epoch, upTo: 3, seq: 5 }
    expect("one of the life before", await write(log, 5, 3, { epoch: before }), there)
    expect("one of this life", await write(log, 5, 3), { isWritten: true, epoch, upTo: 5, seq: 5 })
  }),
} satisfies Record<string, MessageLogCheck>
