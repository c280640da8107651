import { expect, it } from "vitest"
import { createSharedReads } from "./shared-reads.ts"

/** A log whose reads end when the test says, with what was in it when they began. */
function createSlowLog() {
  const reads: (() => void)[] = []
  let head = 1
  return {
    reads,
    write() {
      head += 1
    },
    read() {
      const seen = head
      const done = Promise.withResolvers<number>()
      reads.push(() => done.resolve(seen))
      return done.promise
    },
  }
}

const settled = () => new Promise((resolve) => setImmediate(resolve))

it("two thousand readers at once cost two reads", async () => {
  const log = createSlowLog()
  const share = createSharedReads()
  const answers = Array.from({ length: 2_000 }, () => share("a", log.read))
  expect(log.reads).toHaveLength(1)
  log.reads[0]?.()
  await settled()
  expect(log.reads).toHaveLength(2)
  log.reads[1]?.()
  expect(new Set(await Promise.all(answers))).toEqual(new Set([1]))
})

it("nobody is answered by a read that began before they asked", async () => {
  const log = createSlowLog()
  const share = createSharedReads()
  const before = share("a", log.read)
  log.write()
  const after = share("a", log.read)
  log.reads[0]?.()
  await settled()
  log.reads[1]?.()
  expect([await before, await after]).toEqual([1, 2])
})

it("other keys don't wait, and a read that failed is nobody else's", async () => {
  const share = createSharedReads()
  const failing = share("a", () => Promise.reject(new Error("x")))
  const next = share("a", async () => "well")
  const other = share("b", async () => "other")
  await expect(failing).rejects.toThrow("x")
  expect([await next, await other]).toEqual(["well", "other"])
})
