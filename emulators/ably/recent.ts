import type { Clock } from "./clock.ts"

/** What is remembered for a while. */
export interface Recent<Value> {
  readonly size: number
  get(key: string): Value | undefined
  add(key: string, value: Value): void
  /** Lets go of what is older than that; everything else here does so too. */
  trim(): void
  clear(): void
}

export function createRecent<Value>(clock: Clock, lifetimeMs: () => number): Recent<Value> {
  const known = new Map<string, { value: Value; at: number }>()

  function trim() {
    const oldest = clock.now() - lifetimeMs()
    for (const [key, { at }] of known) {
      if (at >= oldest) return
      known.delete(key)
    }
  }

  return {
    get size() {
      return known.size
    },
    get(key) {
      trim()
      return known.get(key)?.value
    },
    add(key, value) {
      trim()
      known.delete(key)
      known.set(key, { value, at: clock.now() })
    },
    trim,
    clear: () => known.clear(),
  }
}
