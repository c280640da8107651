import type { OnError } from "./errors.ts"
import { guard } from "./guard.ts"

/**
 * Whoever wants to be told of something. One that throws doesn't keep the others from
 * being told, nor ends what told them.
 */
export interface Listeners<Args extends unknown[]> {
  readonly size: number
  /** Returns how to stop. What is added twice is told twice, and stopped one by one. */
  add(listener: (...args: Args) => void): () => void
  /** Tells all that are there now and haven't stopped by the time it is their turn. */
  tell(...args: Args): void
  clear(): void
}

/** `stage` is what `onError` is told with what one of them throws: the name by which they are added. */
export function createListeners<Args extends unknown[] = []>(
  onError: OnError,
  stage: string,
): Listeners<Args> {
  const entries = new Set<{ listener: (...args: Args) => void }>()
  return {
    get size() {
      return entries.size
    },
    add(listener) {
      const entry = { listener }
      entries.add(entry)
      return () => {
        entries.delete(entry)
      }
    },
    tell(...args) {
      for (const entry of [...entries])
        if (entries.has(entry)) guard(onError, stage, () => entry.listener(...args))
    },
    clear: () => entries.clear(),
  }
}
