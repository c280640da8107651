import { jsonByteLength } from "../message.ts"
import { firstWithin } from "../packing.ts"
import type { OutgoingMessage } from "../transport.ts"

/** The most messages of one request. */
export const maxBatch = 50
/** Well below what is taken on the way: nginx takes 1 MiB unless told otherwise, and so does Socket.IO. */
const maxBatchBytes = 256 * 1024

/** As many of the messages, in order, as go in one request; one at least, where there is one. */
export function batchOf<T>(
  messages: readonly T[],
  most: number,
  toOutgoing: (message: T) => OutgoingMessage,
): T[] {
  return firstWithin(messages.slice(0, most), maxBatchBytes, (message) => jsonByteLength(toOutgoing(message)))
}

/** After a request was too large on its way: how many may go in the next. */
export const fewerThan = (count: number) => Math.ceil(count / 2)
