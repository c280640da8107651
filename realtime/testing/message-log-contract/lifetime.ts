import { isRealtimeError } from "../../errors.ts"
import { expect, rejection } from "../transport-contract/check.ts"
import { entries, entry, headOf, idsOf, type MessageLogCheck, readAll, room, seqsOf } from "./stage.ts"

/** Epochs, opening again, closing. */
export const lifetimeChecks = {
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
