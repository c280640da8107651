import { RealtimeError } from "../errors.ts"
import { isKey, maxKeyLength, maxWatchedKeys, type WatchedState } from "../state.ts"

export interface StateWatcher {
  keys: ReadonlySet<string>
  perSecond: number
  changed(): void
}

/** All who watch one channel's state in a page, each with keys of its own. */
export interface StateWatchers {
  add(watcher: StateWatcher): void
  remove(watcher: StateWatcher): void
  /** Its keys are others now. Throws where the page would watch too many. */
  update(watcher: StateWatcher, keys: readonly string[]): void
  /** What they want together. */
  wanted(): WatchedState
  /** The values of these keys are others: tells who watches any of them. */
  tell(changed: readonly string[]): void
}

/** `onChange`: what they want together may be something else now. */
export function createStateWatchers(onChange: () => void): StateWatchers {
  const watchers = new Set<StateWatcher>()
  const union = (without?: StateWatcher) => {
    const keys = new Set<string>()
    for (const watcher of watchers) if (watcher !== without) for (const key of watcher.keys) keys.add(key)
    return keys
  }
  return {
    add: (watcher) => void watchers.add(watcher),
    remove(watcher) {
      watchers.delete(watcher)
      onChange()
    },
    update(watcher, keys) {
      const all = union(watcher)
      for (const key of keys) {
        if (!isKey(key)) throw noKey(key)
        all.add(key)
        if (all.size > maxWatchedKeys) throw tooMany(key)
      }
      watcher.keys = new Set(keys)
      onChange()
    },
    wanted: () => ({
      keys: [...union()],
      perSecond: Math.max(1, ...[...watchers].map(({ perSecond }) => perSecond)),
    }),
    tell(changed) {
      if (changed.length === 0) return
      for (const watcher of [...watchers]) if (changed.some((key) => watcher.keys.has(key))) watcher.changed()
    },
  }
}

const noKey = (key: unknown) =>
  new RealtimeError("invalid-request", {
    message: `unable to watch "${String(key).slice(0, maxKeyLength)}"; a key has ${maxKeyLength} characters at most`,
  })

const tooMany = (key: string) =>
  new RealtimeError("rate-limited", {
    message: `unable to watch "${key}"; a page watches ${maxWatchedKeys} keys of a channel at most`,
    retryable: false,
  })
