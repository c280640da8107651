import { describe, expect, it } from "vitest"
import type { StateEntry, StatePage, StatePatch } from "../state.ts"
import fc from "../testing/fast-check.ts"
import { createKeyedState, type KeyedState } from "./keyed-state.ts"

const entry = (key: string, version: number, value: unknown = `${key}${version}`): StateEntry => ({
  ...{ key, version, value },
})
const page = (version: number, entries: StateEntry[] = [], more: Partial<StatePage> = {}): StatePage => ({
  ...{ epoch: "one", version, entries, ...more },
})
const patch = (from: number, to: number, entries: StateEntry[] = [], epoch = "one"): StatePatch => ({
  ...{ channel: "market:1", epoch, from, to, entries },
})

/** The keys a and b, read at version 5. */
function positioned(): KeyedState {
  const state = createKeyedState()
  state.watch(["a", "b"])
  state.page(page(5, [entry("a", 3), entry("b", 5)]), state.ask())
  return state
}

const valuesOf = (state: KeyedState) => [state.value("a"), state.value("b")]

describe("a keyed state that stands at 5", () => {
  it.each<[string, StatePatch, { type: string; changed: string[]; a?: unknown; version?: number }]>([
    [
      "applies what follows",
      patch(5, 6, [entry("a", 6)]),
      { type: "apply", changed: ["a"], a: "a6", version: 6 },
    ],
    [
      "applies what begins earlier",
      patch(2, 7, [entry("a", 7)]),
      { type: "apply", changed: ["a"], a: "a7", version: 7 },
    ],
    ["ignores what it has", patch(2, 5, [entry("a", 3)]), { type: "ignore", changed: [] }],
    [
      "takes no older value",
      patch(5, 6, [entry("a", 2, "old")]),
      { type: "ignore", changed: [], version: 6 },
    ],
    [
      "ignores keys that aren't watched",
      patch(5, 6, [entry("c", 6)]),
      { type: "ignore", changed: [], version: 6 },
    ],
    [
      "removes what was deleted",
      patch(5, 6, [{ key: "a", version: 6 }]),
      { type: "apply", changed: ["a"], a: undefined, version: 6 },
    ],
    [
      "keeps null as a value",
      patch(5, 6, [entry("a", 6, null)]),
      { type: "apply", changed: ["a"], a: null, version: 6 },
    ],
    [
      "waits for what is missing, and shows what came",
      patch(6, 7, [entry("a", 7)]),
      { type: "wait", changed: ["a"], a: "a7" },
    ],
    [
      "reads what was too large",
      patch(5, 6, [{ key: "a", version: 6, valueless: true }]),
      { type: "read", changed: [], version: 6 },
    ],
    ["reads after another life began", patch(0, 1, [entry("a", 1)], "two"), { type: "read", changed: [] }],
  ])("%s", (_, given, { type, changed, version = 5, ...expected }) => {
    const state = positioned()
    expect(state.patch(given)).toEqual({ type, changed })
    expect(state.value("a")).toEqual("a" in expected ? expected.a : "a3")
    expect(state.version).toEqual({ epoch: "one", version })
  })

  it("closes a hole with what was on its way, and reads what isn't", () => {
    const state = positioned()
    expect(state.patch(patch(7, 8, [entry("a", 8)])).type).toBe("wait")
    expect(state.patch(patch(5, 7, [entry("a", 7)])).type).toBe("ignore")
    expect(state.version?.version).toBe(8)
    expect(state.patch(patch(9, 10)).type).toBe("wait")
    expect(state.overdue().type).toBe("read")
    expect(state.page(page(10, [entry("a", 9), entry("b", 5)]), state.ask())).toEqual({
      type: "apply",
      changed: ["a"],
    })
    expect(state.version?.version).toBe(10)
  })

  it("reads a key that is watched later by itself, and doesn't take that for all", () => {
    const state = positioned()
    state.watch(["b", "c"])
    expect(state.ask()).toEqual(["c"])
    expect(state.patch(patch(5, 6, [entry("b", 6)])).type).toBe("read")
    expect(state.page(page(8, [entry("c", 8)]), ["c"])).toEqual({ type: "apply", changed: ["c"] })
    expect(state.value("a")).toBeUndefined()
    expect(state.version?.version).toBe(6)
    expect(state.patch(patch(6, 8, [entry("b", 7)]))).toEqual({ type: "apply", changed: ["b"] })
  })

  it("asks again for what didn't fit, and for what changed without its value meanwhile", () => {
    const state = positioned()
    state.overdue()
    expect(state.page(page(6, [entry("a", 6)], { rest: ["b"] }), state.ask())).toEqual({
      type: "read",
      changed: ["a"],
    })
    expect(state.ask()).toEqual(["b"])
    state.patch(patch(6, 9, [{ key: "b", version: 9, valueless: true }]))
    expect(state.page(page(8, [entry("b", 8)]), ["b"])).toEqual({ type: "read", changed: ["b"] })
    expect(state.page(page(9, [entry("b", 9)]), state.ask())).toEqual({ type: "apply", changed: ["b"] })
  })

  it("asks again where something may have been missed after the question", () => {
    const state = positioned()
    state.overdue()
    const asked = state.ask()
    state.overdue()
    expect(state.page(page(6, [entry("a", 6)]), asked)).toEqual({ type: "read", changed: ["a", "b"] })
    expect(state.page(page(7, [entry("a", 6)]), state.ask())).toEqual({ type: "ignore", changed: [] })
  })

  it("takes nothing from an answer that lags, and believes the seventh that the state went back", () => {
    const state = positioned()
    state.overdue()
    const old = () => state.page(page(4, [entry("a", 3)]), state.ask())
    for (let n = 1; n < 6; n += 1) expect(old()).toEqual({ type: "read", changed: [] })
    expect(valuesOf(state)).toEqual(["a3", "b5"])
    expect(old()).toEqual({ type: "apply", changed: ["a", "b"] })
    expect(valuesOf(state)).toEqual(["a3", undefined])
    expect(state.version?.version).toBe(4)
  })

  it("believes it, too, where something of what is no more came behind a hole", () => {
    const state = positioned()
    state.patch(patch(90, 91, [entry("a", 91)]))
    state.overdue()
    const restored = () => state.page(page(7, [entry("a", 7), entry("b", 6)]), state.ask())
    for (let n = 1; n < 6; n += 1) expect(restored().type).toBe("read")
    expect(restored()).toEqual({ type: "apply", changed: ["a", "b"] })
    expect(valuesOf(state)).toEqual(["a7", "b6"])
    expect(state.version?.version).toBe(7)
  })

  it("takes a page of another life as it is", () => {
    const state = positioned()
    state.patch(patch(0, 1, [], "two"))
    expect(valuesOf(state)).toEqual(["a3", "b5"])
    expect(state.page(page(1, [entry("b", 1)], { epoch: "two" }), state.ask()).type).toBe("apply")
    expect(valuesOf(state)).toEqual([undefined, "b1"])
    expect(state.version).toEqual({ epoch: "two", version: 1 })
  })

  it("takes what came before its first page into account", () => {
    const state = createKeyedState()
    state.watch(["a", "b"])
    expect(state.patch(patch(5, 6, [entry("a", 6)]))).toEqual({ type: "read", changed: ["a"] })
    expect(state.page(page(5, [entry("a", 3), entry("b", 5)]), state.ask())).toEqual({
      type: "apply",
      changed: ["b"],
    })
    expect(valuesOf(state)).toEqual(["a6", "b5"])
    expect(state.version?.version).toBe(6)
  })
})

describe("a keyed state that begins with what was read before", () => {
  function seeded(): KeyedState {
    const state = createKeyedState()
    state.seed(page(5, [entry("a", 3), entry("c", 4)]), ["a", "b"])
    state.watch(["a", "b"])
    return state
  }

  it("has those values of its keys at once, and reads all of them again", () => {
    const state = seeded()
    expect([...valuesOf(state), state.value("c")]).toEqual(["a3", undefined, undefined])
    expect([state.isKnown("a"), state.isKnown("b")]).toEqual([true, false])
    expect(state.ask()).toEqual(["a", "b"])
    expect(state.page(page(6, [entry("b", 6)]), ["a", "b"])).toEqual({ type: "apply", changed: ["a", "b"] })
    expect(valuesOf(state)).toEqual([undefined, "b6"])
  })

  it("takes nothing older for newer, and no seed for newer than what has come", () => {
    const state = seeded()
    expect(state.patch(patch(1, 3, [entry("a", 2)]))).toEqual({ type: "read", changed: [] })
    expect(state.page(page(4, [entry("a", 2)]), state.ask())).toEqual({ type: "read", changed: [] })
    expect(state.page(page(7, [entry("a", 7)]), state.ask()).changed).toEqual(["a", "b"])
    state.seed(page(6, [entry("a", 6), entry("b", 6)]), ["a", "b"])
    expect(valuesOf(state)).toEqual(["a7", undefined])
  })

  it("leaves a seed of another life of the state alone", () => {
    const state = positioned()
    state.seed(page(9, [entry("a", 9)], { epoch: "two" }), ["a"])
    expect(valuesOf(state)).toEqual(["a3", "b5"])
    expect(state.version).toEqual({ epoch: "one", version: 5 })
  })
})

/** What a server, a provider and a page may do, in any order. */
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant("write" as const), key: fc.nat(3), isDeleted: fc.boolean() }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant("flush" as const), isTooLarge: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant("deliver" as const), which: fc.nat(7) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("lose" as const), which: fc.nat(7) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("repeat" as const), which: fc.nat(7) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("renew" as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant("watch" as const), keys: fc.uniqueArray(fc.nat(3)) }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("read" as const) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("render" as const) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("seed" as const) }) },
)

describe("whatever is lost, repeated and reordered", () => {
  it("no key goes back, and once it has been read or nothing is missing every value is the newest", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const state = createKeyedState()
        let life = 1
        let version = 0
        const truth = new Map<string, StateEntry>()
        let dirty = new Map<string, StateEntry>()
        let from = 0
        const sent: StatePatch[] = []
        let rendered: StatePage | null = null
        let watched: string[] = []
        const shown = new Map<string, { life: number; version: number }>()
        const read = (): StatePage => ({
          ...{ epoch: String(life), version, entries: [...truth.values()] },
        })
        const flush = (isTooLarge: boolean) => {
          const entries = [...dirty.values()].map(({ key, version: of, value }) =>
            isTooLarge && value !== undefined
              ? { key, version: of, valueless: true as const }
              : { key, version: of, value },
          )
          if (version > from) sent.push({ channel: "c", epoch: String(life), from, to: version, entries })
          dirty = new Map()
          from = version
        }
        const check = () => {
          for (const key of watched) {
            const value = state.value(key) as { life: number; version: number } | undefined
            const before = shown.get(key)
            if (!value) continue
            if (
              before &&
              (value.life < before.life || (value.life === before.life && value.version < before.version))
            )
              throw new Error(`${key} went back`)
            shown.set(key, value)
          }
        }
        for (const each of steps) {
          if (each.type === "write") {
            version += 1
            const key = String(each.key)
            const written = { key, version, value: { life, version } }
            if (each.isDeleted) truth.delete(key)
            else truth.set(key, written)
            dirty.set(key, each.isDeleted ? { key, version } : written)
          } else if (each.type === "flush") flush(each.isTooLarge)
          else if (each.type === "deliver") {
            const [taken] = sent.splice(each.which % Math.max(1, sent.length), 1)
            if (taken) state.patch(taken)
          } else if (each.type === "lose") sent.splice(each.which % Math.max(1, sent.length), 1)
          else if (each.type === "repeat") {
            const taken = sent[each.which % Math.max(1, sent.length)]
            if (taken) state.patch(taken)
          } else if (each.type === "renew") {
            life += 1
            version = 0
            from = 0
            dirty = new Map()
            truth.clear()
            // What is on its way of the life before comes first, or never.
            sent.length = 0
          } else if (each.type === "watch") {
            watched = each.keys.map(String)
            for (const key of shown.keys()) if (!watched.includes(key)) shown.delete(key)
            state.watch(watched)
          } else if (each.type === "render") rendered = read()
          else if (each.type === "seed") {
            if (rendered) state.seed(rendered, watched)
          } else state.page(read(), state.ask())
          check()
        }
        // In the end all of it is delivered, and the page acts on what it is told.
        flush(false)
        let verdict = state.page(read(), state.ask())
        for (const left of sent.splice(0)) verdict = state.patch(left)
        for (let n = 0; n < 8 && (verdict.type === "read" || verdict.type === "wait"); n += 1) {
          if (verdict.type === "wait") state.overdue()
          verdict = state.page(read(), state.ask())
        }
        expect(["apply", "ignore"]).toContain(verdict.type)
        for (const key of watched) expect(state.value(key)).toEqual(truth.get(key)?.value)
      }),
      { numRuns: 200 },
    )
  })
})
