export interface Tally {
  /** Whose part of the room is used up, that of all or that of this address; null: there is room for one more. */
  fullFor(address: string): "all" | "address" | null
  /** Counts one more of this address, until what is returned is called. */
  hold(address: string): () => void
}

/** Counts what is held at once: so many of one address, and so many of all. */
export function createTally({ max, maxPerAddress }: { max: number; maxPerAddress: number }): Tally {
  const counts = new Map<string, number>()
  let all = 0
  return {
    fullFor(address) {
      if (all >= max) return "all"
      return (counts.get(address) ?? 0) >= maxPerAddress ? "address" : null
    },
    hold(address) {
      all += 1
      counts.set(address, (counts.get(address) ?? 0) + 1)
      let isHeld = true
      return () => {
        if (!isHeld) return
        isHeld = false
        all -= 1
        const left = (counts.get(address) ?? 1) - 1
        if (left > 0) counts.set(address, left)
        else counts.delete(address)
      }
    },
  }
}
