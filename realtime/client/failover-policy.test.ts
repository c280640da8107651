import { describe, expect, it } from "vitest"
import fc from "../testing/fast-check.ts"
import {
  beginFailover,
  type FailoverCommand,
  type FailoverEvent,
  type FailoverState,
  type LinkState,
  nextFailover,
} from "./failover-policy.ts"

const times = { patienceMs: 10, returnMs: 60 }

const given = (change: Partial<FailoverState>): FailoverState => ({
  ...beginFailover(["a", "b", "c"], times),
  ...change,
})

/** Commands in one word each. */
const named = (commands: readonly FailoverCommand[]) =>
  commands.map((command) => {
    switch (command.type) {
      case "raise":
        return `raise ${command.key}`
      case "wait":
        return `wait ${command.of} ${command.ms}`
      case "stop-waiting":
        return `stop ${command.of}`
      case "show-status":
        return command.hasOthers ? "show" : "show the end"
      default:
        return command.type
    }
  })

const activeIs = (state: LinkState): FailoverEvent => ({ type: "active-is", state })
const connect: FailoverEvent = { type: "connect" }
const ready: FailoverEvent = { type: "standby-ready" }
const list = (...keys: string[]): FailoverEvent => ({ type: "list-changed", keys })
const standbyFailed = (isOffline = false): FailoverEvent => ({ type: "standby-failed", isOffline })
const over = (of: "active" | "standby" | "return", isOffline = false): FailoverEvent => ({
  type: "time-over",
  of,
  isOffline,
})

/** The diagram, arrow by arrow: in which state, what happens, what is done, what is different then. */
const arrows: [string, Partial<FailoverState>, FailoverEvent, string[], Partial<FailoverState>][] = [
  ["begins with the preferred one", {}, connect, ["wait active 10", "connect"], { isWaiting: true }],
  ["goes on waiting when it is asked again", { isWaiting: true }, connect, ["connect"], {}],
  ["waits for nothing that is there", { activeState: "connected" }, connect, ["connect"], {}],
  [
    "gives everybody another chance when it is asked",
    { activeState: "failed", refused: ["a", "b", "c"], isWaiting: true },
    connect,
    ["connect"],
    { refused: [] },
  ],
  [
    "opens one anew that the server didn't know",
    { activeState: "withdrawn", refused: ["a"], isWaiting: true },
    connect,
    ["wait standby 10", "raise a"],
    { standby: "a", refused: [] },
  ],

  [
    "is content with a connection",
    { isWaiting: true },
    activeIs("connected"),
    ["show", "stop active", "wait return 60"],
    { isWaiting: false },
  ],
  [
    "drops a standby that isn't better when the active one is back",
    { activeState: "reconnecting", standby: "b" },
    activeIs("connected"),
    ["show", "stop standby", "drop", "wait return 60"],
    { standby: null },
  ],
  [
    "keeps a standby that is better",
    { active: "b", activeState: "reconnecting", standby: "a" },
    activeIs("connected"),
    ["show", "wait return 60"],
    { standby: "a" },
  ],
  [
    "gives a lost connection its time",
    { activeState: "connected" },
    activeIs("reconnecting"),
    ["show", "wait active 10"],
    { isWaiting: true, standby: null },
  ],
  [
    "begins that time once",
    { activeState: "reconnecting", isWaiting: true },
    activeIs("suspended"),
    ["show"],
    {},
  ],
  [
    "raises the next one when the active one failed",
    { activeState: "connected" },
    activeIs("failed"),
    ["show", "wait standby 10", "raise b"],
    { standby: "b", refused: ["a"] },
  ],
  [
    "raises the first one after the last",
    { active: "c", activeState: "connected" },
    activeIs("failed"),
    ["show", "wait standby 10", "raise a"],
    { standby: "a", refused: ["c"] },
  ],
  [
    "passes over those that failed",
    { activeState: "connected", refused: ["b"] },
    activeIs("withdrawn"),
    ["show", "wait standby 10", "raise c"],
    { standby: "c", refused: ["b", "a"] },
  ],
  [
    "is at its end when all have failed",
    { activeState: "connected", refused: ["b", "c"] },
    activeIs("failed"),
    ["show the end"],
    { standby: null },
  ],

  [
    "raises the next one when the time is over, and gives the active one as much again",
    { activeState: "reconnecting", isWaiting: true },
    over("active"),
    ["wait active 10", "wait standby 10", "raise b"],
    { standby: "b", isWaiting: true },
  ],
  [
    "raises nobody without a network",
    { activeState: "reconnecting", isWaiting: true },
    over("active", true),
    ["wait active 10"],
    { standby: null },
  ],
  [
    "raises nobody beside a standby",
    { activeState: "reconnecting", isWaiting: true, standby: "c" },
    over("active"),
    ["wait active 10"],
    { standby: "c" },
  ],

  [
    "makes the standby the active one",
    { activeState: "reconnecting", isWaiting: true, standby: "b", refused: ["c"], vain: 3 },
    ready,
    ["stop standby", "stop active", "promote", "show", "wait return 60"],
    { active: "b", activeState: "connected", standby: null, refused: [], vain: 0, isWaiting: false },
  ],
  [
    "begins its pauses anew with the preferred one",
    { active: "b", activeState: "connected", standby: "a", returnMs: 240 },
    ready,
    ["stop standby", "promote", "show", "wait return 60"],
    { active: "a", returnMs: 60 },
  ],
  [
    "keeps its pauses with another one",
    { active: "c", activeState: "connected", standby: "b", returnMs: 240 },
    ready,
    ["stop standby", "promote", "show", "wait return 240"],
    { active: "b", returnMs: 240 },
  ],

  [
    "goes on to the one after a standby that failed",
    { activeState: "reconnecting", standby: "b" },
    standbyFailed(),
    ["stop standby", "drop", "show", "wait standby 10", "raise c"],
    { standby: "c", refused: ["b"], vain: 1 },
  ],
  [
    "goes on to the one after a standby that took too long, whom it may ask again",
    { activeState: "reconnecting", standby: "b" },
    over("standby"),
    ["stop standby", "drop", "show", "wait standby 10", "raise c"],
    { standby: "c", refused: [], vain: 1 },
  ],
  [
    "waits for a network before it goes on",
    { activeState: "reconnecting", standby: "b" },
    over("standby", true),
    ["stop standby", "drop", "show", "wait active 10"],
    { standby: null, isWaiting: true },
  ],
  [
    "gives them more time in each round",
    { activeState: "reconnecting", standby: "c", vain: 3 },
    over("standby"),
    ["stop standby", "drop", "show", "wait standby 40", "raise b"],
    { vain: 4 },
  ],
  [
    "gives nobody more than eight times as much",
    { activeState: "reconnecting", standby: "c", vain: 99 },
    over("standby"),
    ["stop standby", "drop", "show", "wait standby 80", "raise b"],
    { vain: 100 },
  ],

  [
    "tries the preferred one after a while",
    { active: "b", activeState: "connected" },
    over("return"),
    ["wait standby 10", "raise a"],
    { standby: "a" },
  ],
  ["is content with the preferred one", { activeState: "connected" }, over("return"), [], {}],
  [
    "doesn't return without a connection",
    { active: "b", activeState: "reconnecting" },
    over("return"),
    [],
    { standby: null },
  ],
  [
    "tries the second best where the best isn't back",
    { active: "c", activeState: "connected", standby: "a" },
    over("standby"),
    ["stop standby", "drop", "show", "wait standby 10", "raise b"],
    { standby: "b", vain: 0 },
  ],
  [
    "tries it later and later",
    { active: "b", activeState: "connected", standby: "a" },
    over("standby"),
    ["stop standby", "drop", "show", "wait return 120"],
    { standby: null, returnMs: 120 },
  ],
  [
    "tries it every ten minutes in the end",
    { active: "b", activeState: "connected", standby: "a", returnMs: 400_000 },
    standbyFailed(),
    ["stop standby", "drop", "show", "wait return 600000"],
    { returnMs: 600_000 },
  ],

  [
    "keeps the active one of a new list, and returns to the preferred one later",
    { activeState: "connected", refused: ["b"] },
    list("b", "a"),
    ["wait return 60"],
    { active: "a", refused: [] },
  ],
  [
    "leaves one that isn't listed any more",
    { activeState: "connected" },
    list("b", "c"),
    ["wait standby 10", "raise b"],
    { active: "a", standby: "b" },
  ],
  [
    "leaves one that failed",
    { activeState: "failed", refused: ["a", "b", "c"] },
    list("a", "b"),
    ["wait standby 10", "raise a"],
    { standby: "a", refused: [] },
  ],
  [
    "drops a standby that isn't listed any more",
    { activeState: "reconnecting", standby: "c" },
    list("a", "b"),
    ["stop standby", "drop", "wait return 60"],
    { standby: null },
  ],
]

describe("the choice of a provider", () => {
  it.each(arrows)("%s", (_, change, event, commands, after) => {
    const before = given(change)
    const next = nextFailover(before, event, times)
    expect({ commands: named(next.commands), state: next.state }).toEqual({
      commands,
      state: { ...next.state, ...after },
    })
  })

  it.each<[string, FailoverEvent]>([
    ["failed", standbyFailed()],
    ["was ready", ready],
    ["took too long", over("standby")],
  ])("does nothing about a standby that %s and was dropped before", (_, event) => {
    const before = given({ activeState: "connected" })
    expect(nextFailover(before, event, times)).toEqual({ state: before, commands: [] })
  })

  const keys = fc.shuffledSubarray(["a", "b", "c", "d"], { minLength: 1 })
  const events = fc.oneof(
    fc.constant(connect),
    fc
      .constantFrom<LinkState>("connecting", "connected", "reconnecting", "suspended", "failed", "withdrawn")
      .map(activeIs),
    fc.boolean().map(standbyFailed),
    fc.constant(ready),
    fc.tuple(fc.constantFrom("active", "standby", "return"), fc.boolean()).map((args) => over(...args)),
    keys.map((next) => list(...next)),
  )

  it("has one standby at most, and has or waits for one while it lacks a connection and there are others", () => {
    fc.assert(
      fc.property(keys, fc.array(events, { maxLength: 40 }), (first, happened) => {
        let { state } = nextFailover(beginFailover(first, times), connect, times)
        let standby: string | null = null
        for (const event of happened) {
          const next = nextFailover(state, event, times)
          for (const command of next.commands) {
            if (command.type === "raise") {
              expect(standby).toBeNull()
              standby = command.key
            } else if (command.type === "drop" || command.type === "promote") {
              expect(standby).not.toBeNull()
              standby = null
            }
          }
          state = next.state
          expect(state.standby).toBe(standby)
          const hasOthers = state.keys.some((key) => key !== state.active && !state.refused.includes(key))
          const isAtWork = state.activeState === "connected" || state.isWaiting || state.standby !== null
          expect(isAtWork || !hasOthers).toBe(true)
        }
      }),
    )
  })
})
