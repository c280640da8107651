import type { StateStore, StateWrite, StateWritten } from "../../log/state-store.ts"
import { expect, rejection } from "../transport-contract/check.ts"
import { type MessageLogCheck, type MessageLogStage, range, reopenMany } from "./stage.ts"

const market = "market:1"
const limits = { maxKeys: 100 }

const write = (key: string, value: unknown, more: Partial<StateWrite> = {}): StateWrite => ({
  ...{ channel: market, key, value: JSON.stringify(value), ...more },
})
const remove = (key: string): StateWrite => ({ channel: market, key, value: null })
const versionsOf = (results: readonly StateWritten[]) =>
  results.map((result) => ("version" in result ? result.version : result.refused))

/** A log may keep no state, and says so by having none. */
const withState =
  (check: (state: StateStore, stage: MessageLogStage) => Promise<void>): MessageLogCheck =>
  async (stage) => {
    if (stage.log.state) await check(stage.log.state, stage)
  }

/** The newest value of each key. */
export const stateChecks = {
  "keeps the newest value of each key, with its version among all of its channel": withState(
    async (state, stage) => {
      expect("nothing", { ...(await state.read(market)), epoch: "" }, { epoch: "", version: 0, entries: [] })
      const group = [
        write("b", 1),
        write("a", { n: "やあ\u0000" }),
        write("b", null),
        write("c", [], { channel: "other" }),
      ]
      const results = await state.write(group, limits)
      expect("the versions", versionsOf(results), [1, 2, 3, 1])
      expect("the next version", versionsOf(await state.write([write("a", 2)], limits)), [4])
      const entries = [
        { key: "a", version: 4, value: 2 },
        { key: "b", version: 3, value: null },
      ]
      const [{ epoch } = { epoch: "" }] = await stage.log.heads([market])
      expect("all", await state.read(market), { epoch, version: 4, entries })
      const other = (await stage.reopen()).state
      expect("some, elsewhere", await other?.read(market, ["b", "b", "c", "x"]), {
        epoch,
        version: 4,
        entries: [entries[1]],
      })
      expect("none", await state.read(market, []), { epoch, version: 4, entries: [] })
    },
  ),

  "deletes a key, and a version never comes back": withState(async (state) => {
    await state.write([write("a", 1), write("b", 2)], limits)
    expect(
      "the versions",
      versionsOf(await state.write([remove("a"), remove("x"), remove("b")], limits)),
      [3, 4, 5],
    )
    expect(
      "what is left",
      { ...(await state.read(market)), epoch: "" },
      { epoch: "", version: 5, entries: [] },
    )
    expect("the next version", versionsOf(await state.write([write("a", 3)], limits)), [6])
  }),

  "refuses a key that is one too many, and it alone": withState(async (state) => {
    const most = { maxKeys: 2 }
    await state.write([write("a", 1), write("b", 1)], most)
    const group = [write("c", 2), write("a", 2), remove("b"), write("c", 3), write("d", 4)]
    expect("the results", versionsOf(await state.write(group, most)), ["full", 3, 4, 5, "full"])
    const { entries } = await state.read(market)
    expect(
      "the keys",
      entries.map(({ key }) => key),
      ["a", "c"],
    )
  }),

  "writes onto a version that is named, or not at all": withState(async (state) => {
    const group = [
      write("a", 1, { ifVersion: 0 }),
      write("a", 2, { ifVersion: 0 }),
      write("a", 3, { ifVersion: 1 }),
    ]
    expect("the results", versionsOf(await state.write(group, limits)), [1, "changed", 2])
    expect("the next", versionsOf(await state.write([write("a", 4, { ifVersion: 1 })], limits)), ["changed"])
    expect("the value", (await state.read(market)).entries, [{ key: "a", version: 2, value: 3 }])
  }),

  "gives each version once under many writers at once, of several processes": withState(async (_, stage) => {
    const stores = (await reopenMany(stage, 3)).map(({ state }) => state as StateStore)
    const results = await Promise.all(
      range(1, 30).map(async (turn) => {
        const group = [write(`key ${turn % 5}`, turn), write("shared", turn)]
        const store = stores[turn % stores.length] as StateStore
        return versionsOf(await store.write(turn % 2 === 0 ? group : group.toReversed(), limits))
      }),
    )
    const versions = results.flat().sort((one, other) => Number(one) - Number(other))
    expect("the versions", versions, range(1, 60))
    const { version, entries } = await (stores[0] as StateStore).read(market)
    expect("the channel's version", version, 60)
    expect("how many keys", entries.length, 6)
  }),

  "keeps all of a group of values or nothing of it": withState(async (state) => {
    for (const wrong of [
      write("\ud800", 1),
      write("a\u0000", 1),
      write("a", 1, { channel: "market:\udc00" }),
    ]) {
      const error = await rejection(state.write([write("a", 1), wrong], limits))
      expect("the error", error instanceof TypeError, true)
    }
    expect("the version", (await state.read(market)).version, 0)
    expect("what nobody can write", (await state.read(market, ["\ud800", "a\u0000"])).entries, [])
    expect("a channel that nobody can name", (await state.read("market:\udc00")).entries, [])
  }),

  "counts the values to the life of the log": withState(async (state, stage) => {
    await state.write([write("a", 1)], limits)
    const epoch = await stage.log.renew()
    const { entries, ...page } = await state.read(market)
    expect("the page", page, { epoch, version: 1 })
    expect("the values", entries, [{ key: "a", version: 1, value: 1 }])
    expect("what is written next", await state.write([write("a", 2)], limits), [{ epoch, version: 2 }])
  }),
} satisfies Record<string, MessageLogCheck>
