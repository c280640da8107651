/**
 * The smallest VCDIFF (RFC 3284) that says what has changed in one place: what both begin with is copied, what is new is
 * added, what both end with is copied. Longer than `target` where the two have little in common.
 */
export function encodeVcdiff(source: Uint8Array, target: Uint8Array): Uint8Array {
  const shorter = Math.min(source.length, target.length)
  let prefix = 0
  while (prefix < shorter && source[prefix] === target[prefix]) prefix += 1
  let suffix = 0
  while (suffix < shorter - prefix && source.at(-1 - suffix) === target.at(-1 - suffix)) suffix += 1

  const added = [...target.subarray(prefix, target.length - suffix)]
  const instructions: number[] = []
  const addresses: number[] = []
  function copy(size: number, address: number) {
    if (size === 0) return
    instructions.push(COPY, ...integer(size))
    addresses.push(...integer(address))
  }
  copy(prefix, 0)
  if (added.length > 0) instructions.push(ADD, ...integer(added.length))
  copy(suffix, source.length - suffix)

  const sections = [added, instructions, addresses]
  const delta = [
    ...integer(target.length),
    NO_COMPRESSION,
    ...sections.flatMap(({ length }) => integer(length)),
    ...sections.flat(),
  ]
  const window = [SOURCE_WINDOW, ...integer(source.length), ...integer(0), ...integer(delta.length), ...delta]
  return new Uint8Array([...HEADER, ...window])
}

/** "VCD" with the high bits set, version 0, no secondary compressor and no code table of its own. */
const HEADER = [0xd6, 0xc3, 0xc4, 0, 0]
const SOURCE_WINDOW = 1
const NO_COMPRESSION = 0
/** Entries of the default code table (5.6) whose size follows; the copy's address is absolute. */
const ADD = 1
const COPY = 19

/** Seven bits a byte, the highest first (2.). */
function integer(value: number): number[] {
  const bytes = [value % 128]
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) {
    bytes.unshift((rest % 128) + 128)
  }
  return bytes
}
