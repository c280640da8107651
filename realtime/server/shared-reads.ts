/**
 * Many readers that want the same at once share one read. Of each key one read is under way at a time,
 * and all who ask meanwhile share the next one: not the one under way, which may have begun before
 * what they are after was written.
 */
export function createSharedReads() {
  const running = new Map<string, Promise<unknown>>()
  const planned = new Map<string, Promise<unknown>>()

  function run<T>(key: string, read: () => Promise<T>): Promise<T> {
    const reading = read().finally(() => running.get(key) === reading && running.delete(key))
    running.set(key, reading)
    return reading
  }

  return function share<T>(key: string, read: () => Promise<T>): Promise<T> {
    const current = running.get(key)
    if (!current) return run(key, read)
    const next = planned.get(key) as Promise<T> | undefined
    if (next) return next
    const after = current
      .catch(() => {
        // Its own readers were told.
      })
      .then(() => {
        planned.delete(key)
        return run(key, read)
      })
    planned.set(key, after)
    return after
  }
}
