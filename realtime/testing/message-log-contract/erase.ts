import { markOf } from "../../message.ts"
import { alice, bob, expect } from "../transport-contract/check.ts"
import { entry, headOf, idsOf, type MessageLogCheck, range, readAll, reopenMany, seqsOf } from "./stage.ts"

/** Taking somebody out of the log, and beginning it anew. */
export const eraseChecks = {
  "erases what one person sent, in every channel, and leaves no hole": async (stage) => {
    const { log } = stage
    const quoting = { id: "mallory", name: '"id":"alice"' }
    const said = [alice, bob, { id: "alice" }, quoting, null].map((from) =>
      entry("a", { from, payload: { text: "x" } }),
    )
    await log.append([
      ...said,
      entry("b", { from: alice, payload: "y" }),
      entry("b", { from: bob, payload: "z" }),
    ])
    expect("how many", await log.erase("alice"), 3)
    const [again] = await reopenMany(stage, 1)
    for (const each of [log, again ?? log]) {
      const kept = await readAll(each, "a")
      expect("the places", seqsOf(kept), range(1, 5))
      expect("the ids", idsOf(kept), idsOf(said))
      expect(
        "what is left",
        kept.map(({ event, payload, from }) => [event, payload, from?.id ?? null]),
        [
          ["erased", null, null],
          ["said", { text: "x" }, "bob"],
          ["erased", null, null],
          ["said", { text: "x" }, "mallory"],
          ["said", { text: "x" }, null],
        ],
      )
      expect(
        "elsewhere",
        (await readAll(each, "b")).map(({ payload }) => payload),
        [null, "z"],
      )
    }
    expect("the head", await headOf(log, "a"), { seq: 5, first: 1 })
    expect("once more", await log.erase("alice"), 0)
  },

  "begins another life with what it holds, for all who have it open": async (stage) => {
    const { log } = stage
    const [other] = await reopenMany(stage, 1)
    const [before] = await log.append([entry("a")])
    const epoch = await log.renew()
    expect("another epoch", epoch === before?.epoch, false)
    for (const each of [log, other ?? log]) {
      const [head] = await each.heads(["a"])
      const mark = markOf({ id: before?.id ?? "", at: before?.at ?? 0 })
      expect("the head", head, { epoch, seq: 1, first: 1, mark })
    }
    const [after] = await (other ?? log).append([entry("a")])
    expect("what comes next", [after?.epoch, after?.seq], [epoch, 2])
  },
} satisfies Record<string, MessageLogCheck>
