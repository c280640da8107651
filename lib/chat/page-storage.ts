/** Text by its key. Nothing of it throws. */
export interface PageStorage {
  getItem(key: string): string | null
  setItem(key: string, value: string): void
  removeItem(key: string): void
  keys(): string[]
}

/**
 * Browser: one of its storages, none of whose methods throws. Where it keeps nothing, since cookies are blocked or it is full, what is
 * written lives as long as the page.
 */
export function openPageStorage(open: () => Storage): PageStorage {
  /** What couldn't be kept. */
  const held = new Map<string, string>()

  function attempt<T>(otherwise: T, task: (storage: Storage) => T): T {
    try {
      // Merely to name it throws where cookies are blocked.
      return task(open())
    } catch {
      return otherwise
    }
  }

  return {
    getItem: (key) => held.get(key) ?? attempt(null, (storage) => storage.getItem(key)),
    setItem(key, value) {
      const isKept = attempt(false, (storage) => {
        storage.setItem(key, value)
        return true
      })
      if (isKept) {
        held.delete(key)
      } else {
        // There may be room for the old one yet, which would be the wrong one to come back.
        this.removeItem(key)
        held.set(key, value)
      }
    },
    removeItem(key) {
      held.delete(key)
      attempt(undefined, (storage) => storage.removeItem(key))
    },
    keys: () => [...new Set([...attempt([], Object.keys), ...held.keys()])],
  }
}
