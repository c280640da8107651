import { decode } from "@ably/vcdiff-decoder"
import { expect, test } from "vitest"
import { createRandom } from "./random.ts"
import { encodeVcdiff } from "./vcdiff.ts"

const bytes = (text: string) => new TextEncoder().encode(text)

test.each([
  ["nothing", "", ""],
  ["nothing to begin with", "", "all of it new"],
  ["nothing left", "all of it gone", ""],
  ["the same", "as it was", "as it was"],
  ["a change inside", '{"count":1,"status":"active"}', '{"count":12,"status":"active"}'],
  ["more at the end", "Hello", "Hello, world"],
  ["more at the beginning", "world", "Hello, world"],
  ["a repetition", "aaa", "aaaaa"],
  ["nothing in common", "abc", "xyz"],
])("the vendor's decoder reads a delta of %s", (_what, from, to) => {
  expect(decode(encodeVcdiff(bytes(from), bytes(to)), bytes(from))).toEqual(bytes(to))
})

test("the vendor's decoder reads the delta of any two payloads", () => {
  const random = createRandom(7)
  const few = (length: number) => Uint8Array.from({ length }, () => Math.floor(random.next() * 3))
  for (let round = 0; round < 500; round += 1) {
    const [from, to] = [few(Math.floor(random.next() * 40)), few(Math.floor(random.next() * 40))]
    expect(decode(encodeVcdiff(from, to), from)).toEqual(to)
  }
})

test("a small change in a long payload is a short delta", () => {
  const from = bytes(`${"x".repeat(40_000)}1${"y".repeat(20_000)}`)
  const to = bytes(`${"x".repeat(40_000)}2${"y".repeat(20_000)}`)
  const delta = encodeVcdiff(from, to)
  expect(delta.length).toBeLessThan(40)
  expect(decode(delta, from)).toEqual(to)
})
