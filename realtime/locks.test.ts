import { describe, expect, it } from "vitest"
import {
  foldLocks,
  fromLockSnapshot,
  type LockClaim,
  lockHolder,
  lockMessages,
  toLockSnapshot,
} from "./locks.ts"
import fc from "./testing/fast-check.ts"

const people = ["alice", "bob", "carol"].map((id) => ({ id }))
const locks = ["title", "body"]

type Said = Parameters<typeof foldLocks>[1][number]

/** Logs of people who claim, and of anybody who releases whatever there may be. */
const logs = fc
  .array(
    fc.record({
      from: fc.constantFrom(...people, null),
      event: fc.constantFrom("lock-claimed", "lock-claimed", "lock-released", "said"),
      lock: fc.constantFrom(...locks),
      claim: fc.nat({ max: 40 }),
    }),
    { maxLength: 40 },
  )
  .map((said) =>
    said.map(({ from, event, lock, claim }, index): Said => {
      const payload = event === "lock-released" ? { lock, claim } : { lock }
      return { seq: index + 1, from, event, payload }
    }),
  )

/** By the letter of the rule, one lock at a time, with no regard to what it costs. */
function holdersOf(log: readonly Said[], lock: string): (number | null)[] {
  const live: { seq: number; id: string }[] = []
  return log.map(({ seq, event, payload, from }) => {
    const { lock: named, claim } = payload as { lock: string; claim?: number }
    if (named === lock && event === "lock-claimed" && from && live.every(({ id }) => id !== from.id))
      live.push({ seq, id: from.id })
    if (named === lock && event === "lock-released") {
      const index = live.findIndex((one) => one.seq === claim)
      if (index >= 0) live.splice(index, 1)
    }
    return live[0]?.seq ?? null
  })
}

describe("the locks of a log", () => {
  it("have the holder that the rule names, after each message, in whatever pieces it is read", () => {
    const holds = fc.property(logs, fc.nat({ max: 40 }), (log, cut) => {
      for (const lock of locks) {
        let claims: readonly LockClaim[] = []
        const found = log.map((message) => {
          claims = foldLocks(claims, [message])
          return lockHolder(claims, lock)?.seq ?? null
        })
        expect(found).toEqual(holdersOf(log, lock))
        const snapshot = fromLockSnapshot(toLockSnapshot(foldLocks([], log.slice(0, cut))))
        expect(foldLocks(snapshot, log.slice(cut))).toEqual(claims)
      }
    })
    fc.assert(holds, { numRuns: 2_000 })
  })

  it("give each holder a higher token than the one before", () => {
    const grows = fc.property(logs, (log) => {
      for (const lock of locks) {
        const tokens = holdersOf(log, lock).filter((token) => token !== null)
        expect(tokens).toEqual(tokens.toSorted((one, other) => one - other))
        const claims = log.map((_, index) => foldLocks([], log.slice(0, index + 1)))
        const found = claims.flatMap((live) => lockHolder(live, lock)?.seq ?? [])
        expect(found).toEqual(tokens)
      }
    })
    fc.assert(grows, { numRuns: 500 })
  })

  it("stay the same object where nothing changes, and take nothing for a claim that isn't one", () => {
    const claims = foldLocks(
      [],
      [{ seq: 1, event: "lock-claimed", payload: { lock: "title" }, from: { id: "a" } }],
    )
    const odd = [null, "title", {}, { lock: 1 }, { lock: "" }, { lock: "x".repeat(201) }]
    const said = odd.flatMap((payload, index) => [
      { seq: index + 2, event: "lock-claimed", payload, from: { id: "b" } },
      { seq: index + 3, event: "lock-released", payload, from: { id: "b" } },
    ])
    expect(foldLocks(claims, said)).toBe(claims)
    expect(
      foldLocks(claims, [{ seq: 99, event: "lock-claimed", payload: { lock: "title" }, from: null }]),
    ).toBe(claims)
    expect(() => fromLockSnapshot(new TextEncoder().encode("[{}]"))).toThrow(
      "the channel's snapshot is another's",
    )
  })

  it.each([
    ["lock-claimed", { lock: "title" }, true],
    ["lock-claimed", { lock: "" }, false],
    ["lock-released", { lock: "title", claim: 1 }, true],
    ["lock-released", { lock: "title" }, false],
  ] as const)("are said by %s with %o: %s", async (event, payload, isFine) => {
    const result = await lockMessages[event]["~standard"].validate(payload)
    expect(result.issues === undefined).toBe(isFine)
  })
})
