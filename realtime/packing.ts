import { jsonByteLength, type WireMessage } from "./message.ts"

/**
 * Messages as a provider may carry them: in groups of one channel whose JSON stays within `maxBytes`, so that
 * what was committed together costs as few deliveries as possible. A message that would not fit even alone
 * goes without its payload; its readers find that in the log.
 */
export function packMessages(messages: readonly WireMessage[], maxBytes: number): WireMessage[][] {
  const groups: WireMessage[][] = []
  let bytes = 0
  for (const message of messages) {
    const fitting = fit(message, maxBytes)
    // A comma, or the brackets around the first.
    const size = jsonByteLength(fitting) + 2
    const group = groups.at(-1)
    if (group && group[0]?.channel === message.channel && bytes + size <= maxBytes) {
      group.push(fitting)
      bytes += size
    } else {
      groups.push([fitting])
      bytes = size
    }
  }
  return groups
}

function fit(message: WireMessage, maxBytes: number): WireMessage {
  if (jsonByteLength(message) + 2 <= maxBytes) return message
  const { payload, ...envelope } = message
  return { ...envelope, bodyless: true }
}

/**
 * What one read answers with, in bytes of payloads and senders as JSON: an answer of a function has 4.5
 * MB at most on Vercel (https://vercel.com/docs/functions/limitations), and one on a socket must not
 * look like a page that doesn't read.
 */
export const maxPageBytes = 1024 * 1024

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
