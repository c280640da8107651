/** The first 32 bits of a number's fractional part. */
const fractionOf = (value: number) => ((value % 1) * 2 ** 32) | 0

const isPrime = (value: number) => {
  for (let factor = 2; factor * factor <= value; factor += 1) if (value % factor === 0) return false
  return true
}
/** The first 64 primes, of whose roots the constants are made. */
const primes = Array.from({ length: 310 }, (_, index) => index + 2).filter(isPrime)
const initial = primes.slice(0, 8).map((prime) => fractionOf(Math.sqrt(prime)))
const constants = primes.map((prime) => fractionOf(Math.cbrt(prime)))

/** The three rotations of a word to the right, or for `shifted` two and a shift, over each other. */
const mix = (word: number, one: number, two: number, three: number, shifted = false) => {
  const rotate = (by: number) => (word >>> by) | (word << (32 - by))
  return rotate(one) ^ rotate(two) ^ (shifted ? word >>> three : rotate(three))
}

/**
 * SHA-256 (https://doi.org/10.6028/NIST.FIPS.180-4) in hexadecimal digits. By hand: the browser's own is
 * asynchronous, and absent on a page without TLS; a library is half as large as the rest of this adapter.
 */
export function sha256(bytes: Uint8Array): string {
  const length = Math.ceil((bytes.length + 9) / 64) * 64
  const padded = new DataView(new ArrayBuffer(length))
  new Uint8Array(padded.buffer).set(bytes)
  padded.setUint8(bytes.length, 0x80)
  padded.setUint32(length - 4, bytes.length * 8)
  let hash = initial
  for (let offset = 0; offset < length; offset += 64) {
    const words: number[] = []
    const wordAt = (index: number) => words[index] as number
    let state = hash
    for (let index = 0; index < 64; index += 1) {
      const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state
      words[index] =
        index < 16
          ? padded.getInt32(offset + index * 4)
          : (wordAt(index - 16) +
              mix(wordAt(index - 15), 7, 18, 3, true) +
              wordAt(index - 7) +
              mix(wordAt(index - 2), 17, 19, 10, true)) |
            0
      const added =
        h + mix(e, 6, 11, 25) + ((e & f) ^ (~e & g)) + (constants[index] as number) + wordAt(index)
      const first = (added + mix(a, 2, 13, 22) + ((a & b) ^ (a & c) ^ (b & c))) | 0
      state = [first, a, b, c, (d + added) | 0, e, f, g]
    }
    hash = hash.map((word, index) => (word + (state[index] as number)) | 0)
  }
  return hash.map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("")
}
