import { decode } from "@msgpack/msgpack"
import { maxDepth } from "../depth.ts"

/** Throws for bytes that hold less than they declare, or nest too deeply. */
export function decodeMsgpack(bytes: Uint8Array): unknown {
  if (!isSound(bytes))
    throw new RangeError("MessagePack that holds less than it declares, or nests too deeply")
  return decode(bytes)
}

/**
 * Whether as many values can follow as the headers declare, each of which takes a byte at least. The decoder makes room for an array
 * as soon as it has read its header, so that a few bytes cost gigabytes.
 */
function isSound(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  /** How many values each open array and map still waits for, the outermost first. */
  const waiting = [1]
  let owed = 1
  let at = 0
  while (owed > 0) {
    while (waiting.at(-1) === 0) waiting.pop()
    waiting.push((waiting.pop() ?? 0) - 1)
    const { size, values } = readHeader(view, at)
    at += size
    owed += values - 1
    if (values > 0) waiting.push(values)
    if (owed > bytes.byteLength - at || waiting.length > maxDepth + 1) return false
  }
  return true
}

/** The bytes of a value, without those of the values in it, and how many are in it: https://github.com/msgpack/msgpack/blob/master/spec.md */
function readHeader(view: DataView, at: number): { size: number; values: number } {
  const type = view.getUint8(at)
  const sized = (width: number, size = 0) => ({ size: 1 + width + size, values: 0 })
  const uint = (width: 1 | 2 | 4) =>
    width === 1 ? view.getUint8(at + 1) : width === 2 ? view.getUint16(at + 1) : view.getUint32(at + 1)
  if (type < 0x80 || type >= 0xe0) return sized(0)
  if (type < 0x90) return { size: 1, values: 2 * (type & 0x0f) }
  if (type < 0xa0) return { size: 1, values: type & 0x0f }
  if (type < 0xc0) return sized(0, type & 0x1f)
  switch (type) {
    case 0xc4:
    case 0xd9:
      return sized(1, uint(1))
    case 0xc5:
    case 0xda:
      return sized(2, uint(2))
    case 0xc6:
    case 0xdb:
      return sized(4, uint(4))
    case 0xc7:
      return sized(1, 1 + uint(1))
    case 0xc8:
      return sized(2, 1 + uint(2))
    case 0xc9:
      return sized(4, 1 + uint(4))
    case 0xcc:
    case 0xd0:
      return sized(1)
    case 0xcd:
    case 0xd1:
      return sized(2)
    case 0xca:
    case 0xce:
    case 0xd2:
      return sized(4)
    case 0xcb:
    case 0xcf:
    case 0xd3:
      return sized(8)
    case 0xd4:
    case 0xd5:
    case 0xd6:
    case 0xd7:
    case 0xd8:
      return sized(1, 2 ** (type - 0xd4))
    case 0xdc:
      return { size: 3, values: uint(2) }
    case 0xdd:
      return { size: 5, values: uint(4) }
    case 0xde:
      return { size: 3, values: 2 * uint(2) }
    case 0xdf:
      return { size: 5, values: 2 * uint(4) }
    default:
      // null, true, false, and the one type that isn't used, which the decoder refuses.
      return sized(0)
  }
}
