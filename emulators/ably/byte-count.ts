/** Counts what a list keeps, so that it stays within a bound: of more, the oldest go. */
export interface ByteCount<Item> {
  add(item: Item, bytes: number): void
  /** How many of the oldest go, of which so many go anyway. They are counted no more. */
  release(items: readonly Item[], count: number): number
  clear(): void
}

export function createByteCount<Item extends object>(maxBytes: () => number): ByteCount<Item> {
  let sizes = new WeakMap<Item, number>()
  let total = 0
  return {
    add(item, bytes) {
      sizes.set(item, (sizes.get(item) ?? 0) + bytes)
      total += bytes
    },
    release(items, count) {
      let index = 0
      for (; index < items.length && (index < count || total > maxBytes()); index += 1)
        total -= sizes.get(items[index] as Item) ?? 0
      return index
    },
    clear() {
      sizes = new WeakMap()
      total = 0
    },
  }
}
