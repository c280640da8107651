import { jsonByteLength } from "../../message.ts"
import { firstWithin } from "../../packing.ts"
import { type Coverage, createCoverage, type StateEntry, type StatePatch } from "../../state.ts"

export interface StateWatchersOptions {
  /** Whether a connection is behind, so that what it is sent would only wait on it. */
  isBehind(connection: string): boolean
  /** The same patch to each of the connections. */
  emit(connections: readonly string[], patch: StatePatch): void
  /** In milliseconds, from any beginning; never goes back. */
  now?: () => number
  /** Calls back once, after so many milliseconds; returns how to prevent it. */
  later?: (callback: () => void, ms: number) => () => void
}

/** Who watches which keys of which channel here, and what each of them has yet to be sent. */
export interface StateWatchers {
  /**
   * From now on the connection watches these keys of the channel, told of changes so often a second at most.
   */
  watch(connection: string, channel: string, keys: readonly string[], perSecond: number): void
  unwatch(connection: string, channel: string): void
  take(patches: readonly StatePatch[]): void
  /** Keys that are yet to be sent, of all connections together. */
  readonly unsent: number
  /** Values that are kept for them. */
  readonly kept: number
  close(): void
}

interface Watcher {
  connection: string
  keys: ReadonlySet<string>
  /** What it has yet to be sent: keys, whatever became of them how often. */
  dirty: Set<string>
  /** It was told of everything up to here; null: of nothing yet. */
  told: number | null
  /** It has to be told where it stands, though none of its keys may have changed. */
  isLost: boolean
  intervalMs: number
  nextAt: number
}

/** The newest of a key that somebody here has yet to be sent. */
interface Kept {
  entry: StateEntry
  bytes: number
  /** So many have yet to be sent it; with the last it goes. */
  watchers: number
}

interface Watched {
  epoch: string
  coverage: Coverage
  /** Where the first patch began. */
  start: number
  holeSince: number | null
  kept: Map<string, Kept>
}

/** A patch, and whom it is for. */
interface Telling {
  connections: string[]
  patch: StatePatch
}

interface WatchedChannel {
  watchers: Map<string, Watcher>
  /** Null until the first patch is there. */
  state: Watched | null
}

/** What another server wrote may be on its way. */
const holeMs = 1_000
/** The shortest time between two looks at who has something unsent. */
const lookMs = 25
/** How long until it is looked again whether a connection that is behind can be written to. */
const behindMs = 100
/** So many patches of one look are compared with the next: connections in step are told the same. */
const maxCompared = 16
/** What one connection is sent at once: more would look like a page that doesn't read. */
const maxPatchBytes = 64 * 1024

const isSame = (one: StatePatch, other: StatePatch) =>
  one.from === other.from &&
  one.to === other.to &&
  one.entries.length === other.entries.length &&
  one.entries.every((entry, index) => entry === other.entries[index])

function setLater(callback: () => void, ms: number): () => void {
  const timer = setTimeout(callback, ms).unref()
  return () => clearTimeout(timer)
}

/**
 * Keeps for each connection the keys that are yet to be sent to it, and sends their newest values at its own
 * rate, while it isn't behind: memory is bounded by who watches what, not by how often it changes or how
 * slowly it is read.
 */
export function createStateWatchers(options: StateWatchersOptions): StateWatchers {
  const { isBehind, emit, now = () => performance.now(), later = setLater } = options
  const channels = new Map<string, WatchedChannel>()
  let cancel: (() => void) | null = null
  let dueAt = Number.POSITIVE_INFINITY
  let lookedAt = Number.NEGATIVE_INFINITY

  /** Looks at this time, or as soon after it as may be, unless it is looked before that anyway. */
  function lookAt(time: number): void {
    const due = Math.max(time, lookedAt + lookMs)
    if (due >= dueAt) return
    dueAt = due
    wait()
  }

  function wait(): void {
    cancel?.()
    cancel = later(wake, Math.max(0, Math.ceil(dueAt - now())))
  }

  /** A timer counts from the beginning of its turn of the event loop, and may come too early by as much. */
  function wake(): void {
    if (now() < dueAt) wait()
    else look()
  }

  function look(): void {
    const time = now()
    cancel = null
    dueAt = Number.POSITIVE_INFINITY
    lookedAt = time
    let nextAt = Number.POSITIVE_INFINITY
    for (const [name, channel] of channels) nextAt = Math.min(nextAt, lookInto(name, channel, time))
    if (nextAt < Number.POSITIVE_INFINITY) lookAt(nextAt)
  }

  /** Tells whoever may be told, and returns when the next one may. */
  function lookInto(name: string, { state, watchers }: WatchedChannel, time: number): number {
    if (!state) return Number.POSITIVE_INFINITY
    let nextAt = giveUpHole(state, watchers, time) ? time : Number.POSITIVE_INFINITY
    const told: Telling[] = []
    for (const watcher of watchers.values()) {
      if (watcher.dirty.size === 0 && !watcher.isLost) continue
      if (time < watcher.nextAt) nextAt = Math.min(nextAt, watcher.nextAt)
      else if (isBehind(watcher.connection)) nextAt = Math.min(nextAt, time + behindMs)
      else if (tell(name, state, watcher, time, told)) nextAt = time
    }
    for (const { connections, patch } of told) emit(connections, patch)
    return nextAt
  }

  /** Adds what it is to be told. Returns whether something is unsent still. */
  function tell(
    channel: string,
    state: Watched,
    watcher: Watcher,
    time: number,
    tellings: Telling[],
  ): boolean {
    const { epoch, coverage, start } = state
    const from = watcher.told ?? start
    const unsent = [...watcher.dirty].flatMap((key) => state.kept.get(key) ?? [])
    const taken = firstWithin(unsent, maxPatchBytes, ({ bytes }) => bytes)
    const isAll = taken.length === unsent.length
    for (const { entry } of taken) settle(state, watcher, entry.key)
    watcher.isLost = false
    // What is still unsent doesn't count as told.
    watcher.told = isAll ? coverage.version : from
    watcher.nextAt = time + watcher.intervalMs
    const patch = { channel, epoch, from, to: watcher.told, entries: taken.map(({ entry }) => entry) }
    const same = tellings.slice(-maxCompared).find((telling) => isSame(telling.patch, patch))
    if (same) same.connections.push(watcher.connection)
    else tellings.push({ connections: [watcher.connection], patch })
    return !isAll
  }

  /** It needs no sending any more: it was told, or watches it no longer. */
  function settle(state: Watched | null, { dirty }: Watcher, key: string): void {
    const known = state?.kept.get(key)
    if (!dirty.delete(key) || !known) return
    known.watchers -= 1
    if (known.watchers === 0) state?.kept.delete(key)
  }

  /**
   * Returns whether one is still waited for. Who stood before it is told of what comes behind it, and reads
   * again.
   */
  function giveUpHole(state: Watched, watchers: Map<string, Watcher>, time: number): boolean {
    if (!state.coverage.hasHole) {
      state.holeSince = null
      return false
    }
    state.holeSince ??= time
    if (time - state.holeSince < holeMs) return true
    const end = state.coverage.skip()
    state.holeSince = null
    for (const watcher of watchers.values()) Object.assign(watcher, { told: end, isLost: true })
    return false
  }

  /** Returns when the first of those may be told whom it concerns. */
  function takeOne({ channel: name, epoch, from, to, entries }: StatePatch): number {
    const channel = channels.get(name)
    if (!channel) return Number.POSITIVE_INFINITY
    const { watchers } = channel
    let nextAt = Number.POSITIVE_INFINITY
    if (channel.state?.epoch !== epoch) {
      const isOther = channel.state !== null
      if (isOther) nextAt = now()
      channel.state = {
        epoch,
        coverage: createCoverage(from),
        start: from,
        holeSince: null,
        kept: new Map(),
      }
      for (const watcher of watchers.values()) {
        watcher.dirty.clear()
        Object.assign(watcher, { told: null, isLost: isOther })
      }
    }
    const { state } = channel
    state.coverage.add(from, to)
    if (state.coverage.hasHole) nextAt = now()
    for (const entry of entries) {
      if (entry.version <= (state.kept.get(entry.key)?.entry.version ?? 0)) continue
      // Nobody else waits for it from before: who stops watching a key waits no longer.
      const unsent = [...watchers.values()].filter(({ keys }) => keys.has(entry.key))
      for (const watcher of unsent) {
        watcher.dirty.add(entry.key)
        nextAt = Math.min(nextAt, watcher.nextAt)
      }
      if (unsent.length > 0)
        state.kept.set(entry.key, { entry, bytes: jsonByteLength(entry), watchers: unsent.length })
    }
    return nextAt
  }

  return {
    watch(connection, name, keys, perSecond) {
      const channel = channels.get(name) ?? { watchers: new Map(), state: null }
      channels.set(name, channel)
      const before = channel.watchers.get(connection)
      const wanted = new Set(keys)
      for (const key of before?.dirty.difference(wanted) ?? []) settle(channel.state, before as Watcher, key)
      channel.watchers.set(connection, {
        ...{ connection, keys: wanted, isLost: before?.isLost ?? false, nextAt: before?.nextAt ?? 0 },
        dirty: before?.dirty ?? new Set(),
        told: before ? before.told : (channel.state?.coverage.version ?? null),
        intervalMs: 1_000 / perSecond,
      })
    },
    unwatch(connection, name) {
      const channel = channels.get(name)
      const watcher = channel?.watchers.get(connection)
      if (!channel || !watcher) return
      for (const key of watcher.dirty) settle(channel.state, watcher, key)
      channel.watchers.delete(connection)
      if (channel.watchers.size === 0) channels.delete(name)
    },
    take(patches) {
      const nextAt = Math.min(...patches.map(takeOne))
      if (nextAt < Number.POSITIVE_INFINITY) lookAt(nextAt)
    },
    get unsent() {
      let unsent = 0
      for (const { watchers } of channels.values())
        for (const { dirty } of watchers.values()) unsent += dirty.size
      return unsent
    },
    get kept() {
      return [...channels.values()].reduce((sum, { state }) => sum + (state?.kept.size ?? 0), 0)
    },
    close() {
      cancel?.()
      channels.clear()
    },
  }
}
