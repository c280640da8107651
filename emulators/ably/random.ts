const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

export interface Random {
  /** A number in [0, 1). */
  next(): number
  /** A string of letters and digits, so that it never contains one of the protocol's separators. */
  string(length: number): string
}

/** With a seed, ids and fault probabilities repeat from run to run (mulberry32); without, they don't. */
export function createRandom(seed?: number): Random {
  let state = (seed ?? Math.floor(Math.random() * 2 ** 32)) | 0

  function next(): number {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  return {
    next,
    string: (length) => Array.from({ length }, () => LETTERS[Math.floor(next() * LETTERS.length)]).join(""),
  }
}
