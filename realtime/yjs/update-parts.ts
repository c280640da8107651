import { fromBase64, toBase64 } from "../base64.ts"

/**
 * The payload of a document's messages: an update of Yjs, or a part of one that is too large for a
 * message.
 */
export interface YjsUpdate {
  /** The bytes, in base64. */
  update: string
  /** Which part it is. Absent: it is the whole. */
  part?: YjsUpdatePart | undefined
}

/** The place of a part in its update. */
export interface YjsUpdatePart {
  /** Of all parts of one update, and of no other of its sender's. */
  key: string
  /** From 0 on. */
  index: number
  /** How many there are. */
  count: number
}

/**
 * How far apart, in `seq`, the first and the last part of an update may be that counts, and so the most parts
 * that it has. What was begun and not ended by then never counts, for nobody: a page that is gone for good
 * would keep everybody from making a snapshot otherwise.
 */
export const partSpan = 1_000

/** An update as messages that carry at most so many of its bytes each. */
export function toPayloads(update: Uint8Array, maxBytes: number, createKey: () => string): YjsUpdate[] {
  const count = Math.ceil(update.length / maxBytes)
  if (count <= 1) return [{ update: toBase64(update) }]
  const key = createKey()
  return Array.from({ length: count }, (_, index) => ({
    update: toBase64(update.subarray(index * maxBytes, (index + 1) * maxBytes)),
    part: { key, index, count },
  }))
}

/** The update that these messages, all of one and in order, carry. */
export function fromPayloads(payloads: readonly YjsUpdate[]): Uint8Array<ArrayBuffer> {
  const pieces = payloads.map(({ update }) => fromBase64(update))
  const whole = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0))
  let offset = 0
  for (const piece of pieces) {
    whole.set(piece, offset)
    offset += piece.length
  }
  return whole
}

/** What of a message counts here. */
export interface UpdateMessage {
  seq: number
  from: { id: string } | null
  payload: unknown
}

/** Puts updates together again that came in parts; by the log's order alone, so the same for everybody. */
export interface UpdateAssembler {
  /**
   * Takes the next message. Returns the update that is whole by it; null where it is a part, and others are
   * missing. Throws where the message carries no update.
   */
  take(message: UpdateMessage): Uint8Array<ArrayBuffer> | null
  /** Passes over a message that is none of the document's. */
  skip(seq: number): void
  /** Up to which message every update is whole: whoever goes on from there misses no part. */
  readonly wholeUpTo: number
  /** Begins anew, after this message. */
  begin(seq: number): void
}

interface Waiting {
  first: number
  payloads: (YjsUpdate | undefined)[]
  missing: number
}

export function createUpdateAssembler(): UpdateAssembler {
  const waiting = new Map<string, Waiting>()
  let last = 0

  function forgetAbandoned(): void {
    for (const [key, { first }] of waiting) if (last - first >= partSpan) waiting.delete(key)
  }

  function takePart(payload: YjsUpdate, { key, index, count }: YjsUpdatePart, sender: string) {
    // By its sender, too: nobody gets a part into somebody else's update.
    const name = JSON.stringify([sender, key])
    const set = waiting.get(name) ?? { first: last, payloads: new Array(count), missing: count }
    if (set.payloads.length !== count) throw new TypeError("the parts of an update disagree on their number")
    waiting.set(name, set)
    // It was sent again, in a log that had forgotten the first.
    if (set.payloads[index]) return null
    set.payloads[index] = payload
    set.missing -= 1
    if (set.missing > 0) return null
    waiting.delete(name)
    return fromPayloads(set.payloads as YjsUpdate[])
  }

  return {
    take({ seq, from, payload }) {
      last = seq
      forgetAbandoned()
      const issue = issueOf(payload)
      if (issue) throw new TypeError(issue)
      const update = payload as YjsUpdate
      return update.part ? takePart(update, update.part, from?.id ?? "") : fromBase64(update.update)
    },
    skip(seq) {
      last = seq
    },
    get wholeUpTo() {
      return Math.min(last, ...[...waiting.values()].map(({ first }) => first - 1))
    },
    begin(seq) {
      waiting.clear()
      last = seq
    },
  }
}

const isIndex = (value: unknown, end: number) =>
  typeof value === "number" && Number.isInteger(value) && value >= 0 && value < end

/** Why a value isn't what a document's messages carry; null where it is, as far as its shape tells. */
export function issueOf(value: unknown): string | null {
  const { update, part } = (value ?? {}) as { [Name in keyof YjsUpdate]?: unknown }
  if (typeof update !== "string" || update === "") return `"update" has to be a text in base64`
  if (part === undefined) return null
  const { key, index, count } = (part ?? {}) as { [Name in keyof YjsUpdatePart]?: unknown }
  if (typeof key !== "string" || key === "" || key.length > 64)
    return `"part.key" has to be a text of at most 64 characters`
  if (!isIndex(count, partSpan + 1) || !isIndex(index, count as number))
    return `"part" has to be one of at most ${partSpan}`
  return null
}
