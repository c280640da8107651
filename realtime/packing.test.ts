import { expect, it } from "vitest"
import { jsonByteLength } from "./message.ts"
import { packPatches } from "./packing.ts"
import type { StateEntry, StatePatch } from "./state.ts"

const patch = (from: number, to: number, entries: StateEntry[]): StatePatch => ({
  ...{ channel: "market:1", epoch: "one", from, to, entries },
})
const entry = (version: number, size = 1): StateEntry => ({
  key: `k${version}`,
  version,
  value: "あ".repeat(size),
})
const keysOf = (groups: StatePatch[][]) =>
  groups.flat().flatMap(({ entries }) => entries.map(({ key }) => key))

it("packs patches into one delivery where they fit", () => {
  const patches = [patch(0, 2, [entry(1), entry(2)]), patch(4, 5, [])]
  expect(packPatches(patches, 1_000)).toEqual([patches])
})

it("splits what doesn't fit in the order of versions, each part saying how far it reaches", () => {
  const entries = [5, 3, 9, 1, 7].map((version) => entry(version, 30))
  const groups = packPatches([patch(0, 10, entries)], 400)
  expect(groups.length).toBeGreaterThan(1)
  for (const group of groups) expect(jsonByteLength(group)).toBeLessThanOrEqual(400)
  expect(keysOf(groups)).toEqual(["k1", "k3", "k5", "k7", "k9"])
  const parts = groups.flat()
  for (const [index, { from, entries: own }] of parts.entries()) {
    expect(from).toBe(parts[index - 1]?.to ?? 0)
    expect(own.length).toBeGreaterThan(0)
  }
  expect(parts.at(-1)?.to).toBe(10)
})

it("sends a value that doesn't fit alone without it", () => {
  const groups = packPatches([patch(0, 3, [entry(1), entry(2, 500), entry(3)])], 500)
  expect(groups.flat().flatMap(({ entries }) => entries)).toEqual([
    entry(1),
    { key: "k2", version: 2, valueless: true },
    entry(3),
  ])
})

it("stays within the size wherever the versions stand", () => {
  const last = Number.MAX_SAFE_INTEGER
  for (let size = 0; size < 40; size += 1) {
    const entries = [5, 4, 3, 2, 1].map((before) => entry(last - before, size))
    for (const group of packPatches([patch(0, last, entries)], 260))
      expect(jsonByteLength(group)).toBeLessThanOrEqual(260)
  }
})
