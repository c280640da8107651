import { expect, it } from "vitest"
import type { Cursor, LogPage } from "../message.ts"
import { createSharedReads } from "./shared-reads.ts"

const at = (seq: number, epoch = "e"): Cursor => ({ epoch, seq })

function setup() {
  const asked: { after: Cursor | null; answer(): void; fail(): void }[] = []
  const reads = createSharedReads((after) => {
    const { promise, resolve, reject } = Promise.withResolvers<LogPage>()
    const answer = () => resolve({ head: { epoch: "e", seq: 9, first: 1 }, messages: [] })
    asked.push({ after, answer, fail: () => reject(new Error("away")) })
    return promise
  })
  return { ...reads, asked }
}

it("reads once for all that ask the same", async () => {
  const { read, asked } = setup()
  const pages = [at(1), at(1), at(2), at(1, "other"), null, null].map(read)
  expect(asked.map(({ after }) => after)).toEqual([at(1), at(2), at(1, "other"), null])
  for (const { answer } of asked) answer()
  expect(new Set(await Promise.all(pages)).size).toBe(4)
})

it("reads again for who asks after the answer, or the failure", async () => {
  const { read, asked } = setup()
  const first = read(null)
  asked[0]?.fail()
  await expect(first).rejects.toThrow("away")
  const second = read(null)
  asked[1]?.answer()
  await second
  void read(null)
  expect(asked).toHaveLength(3)
})

it("shares nothing with what was under way when it was cleared, whichever ends first", async () => {
  const { read, clear, asked } = setup()
  const early = read(at(1))
  clear()
  const late = read(at(1))
  asked[0]?.answer()
  await early
  expect(read(at(1))).toBe(late)
  expect(asked).toHaveLength(2)
})
