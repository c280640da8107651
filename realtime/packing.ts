import { jsonByteLength, type WireMessage } from "./message.ts"
import type { StateEntry, StatePatch } from "./state.ts"

/**
 * Messages as a provider may carry them: in groups of one channel whose JSON stays within `maxBytes`, so that
 * what was committed together costs as few deliveries as possible. A message that would not fit even alone
 * goes without its payload; its readers find that in the log.
 */
export function packMessages(messages: readonly WireMessage[], maxBytes: number): WireMessage[][] {
  const fitting = messages.map((message) => fit(message, maxBytes))
  return groupWithin(fitting, maxBytes, listedBytes, ([first], { channel }) => first?.channel === channel)
}

/** With a comma, or the brackets around the first. */
const listedBytes = (item: unknown) => jsonByteLength(item) + 2

function fit(message: WireMessage, maxBytes: number): WireMessage {
  if (listedBytes(message) <= maxBytes) return message
  const { payload, ...envelope } = message
  return { ...envelope, bodyless: true }
}

/**
 * Patches of one channel as a provider may carry them: in groups whose JSON stays within `maxBytes`. A patch
 * that doesn't fit goes in several, each of which says how far it reaches; a value that would not fit even
 * alone stays behind, and its readers read it.
 */
export function packPatches(patches: readonly StatePatch[], maxBytes: number): StatePatch[][] {
  const parts: StatePatch[] = []
  for (const { entries, ...patch } of patches) {
    const longest = Number.MAX_SAFE_INTEGER
    // The brackets around the list of patches, and a comma.
    const frame = jsonByteLength({ ...patch, from: longest, to: longest, entries: [] }) + 3
    const left = entries
      .map((entry) => fitEntry(entry, maxBytes - frame))
      .sort((one, other) => one.version - other.version)
    let reached = patch.from
    do {
      const taken = firstWithin(left, maxBytes - frame, (entry) => jsonByteLength(entry) + 1)
      left.splice(0, taken.length)
      // The last one reaches as far as the whole, where nothing of it was newer than that.
      const end = left.length === 0 ? patch.to : Math.min(patch.to, taken.at(-1)?.version ?? patch.to)
      parts.push({ ...patch, from: reached, to: Math.max(reached, end), entries: taken })
      reached = Math.max(reached, end)
    } while (left.length > 0)
  }
  return groupWithin(parts, maxBytes, listedBytes)
}

function fitEntry(entry: StateEntry, maxBytes: number): StateEntry {
  if (jsonByteLength(entry) + 1 <= maxBytes) return entry
  return { key: entry.key, version: entry.version, valueless: true }
}

/**
 * What one read answers with, in bytes of payloads and senders as JSON: an answer of a function has 4.5
 * MB at most on Vercel (https://vercel.com/docs/functions/limitations), and one on a socket must not
 * look like a page that doesn't read.
 */
export const maxPageBytes = 1024 * 1024

/**
 * The items in order, in as few groups as stay within `maxBytes`, each of which takes what `mayJoin` lets in;
 * one that is larger than that is a group of its own.
 */
export function groupWithin<T>(
  items: Iterable<T>,
  maxBytes: number,
  bytesOf: (item: T) => number,
  mayJoin: (group: readonly T[], item: T) => boolean = () => true,
): T[][] {
  const groups: T[][] = []
  let bytes = 0
  for (const item of items) {
    const size = bytesOf(item)
    const group = groups.at(-1)
    if (group && bytes + size <= maxBytes && mayJoin(group, item)) {
      group.push(item)
      bytes += size
    } else {
      groups.push([item])
      bytes = size
    }
  }
  return groups
}

/** The first of the items that stay within `maxBytes` together; one at least, where there is one. */
export function firstWithin<T>(items: Iterable<T>, maxBytes: number, bytesOf: (item: T) => number): T[] {
  const taken: T[] = []
  let bytes = 0
  for (const item of items) {
    bytes += bytesOf(item)
    if (bytes > maxBytes && taken.length > 0) break
    taken.push(item)
  }
  return taken
}
