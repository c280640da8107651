/** With a seed, socket ids and fault probabilities repeat from run to run (mulberry32); without, they don't. */
export interface Random {
  /** A number in [0, 1). */
  next(): number
  /** A whole number in [0, below). */
  integer(below: number): number
}

export function createRandom(seed?: number): Random {
  let state = (seed ?? Math.floor(Math.random() * 2 ** 32)) | 0

  function next(): number {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  return { next, integer: (below) => Math.floor(next() * below) }
}

/** Digits, dot, digits: the server library refuses to sign anything else (pusher/README.md §1.3). */
export function createSocketId(random: Random): string {
  return `${random.integer(1_000_000)}.${random.integer(1_000_000_000)}`
}
