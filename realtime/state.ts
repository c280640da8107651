import { RealtimeError } from "./errors.ts"
import { isPosition } from "./message.ts"

/** The newest value of one key, or that there is none. */
export interface StateEntry {
  /** Whose value it is. */
  key: string
  /** The channel's version that its last change made; no other entry has it. */
  version: number
  /** Absent: the key was deleted, unless it is `valueless`. */
  value?: unknown
  /** The value doesn't fit the provider's limit: the receiver reads it. */
  valueless?: true
}

/**
 * What changed in a channel's state: who has everything up to `from`, and takes these entries, has everything
 * up to `to`. Of a key that changed more than once the newest entry is there alone; it may be newer than
 * `to`.
 */
export interface StatePatch {
  /** The channel's name. */
  channel: string
  /** The log's: another one is another state. */
  epoch: string
  /** The version that it follows. */
  from: number
  /** The version that it reaches. */
  to: number
  /** The newest entry of each key that changed. */
  entries: StateEntry[]
}

/** Keys of a channel's state as they were at one version. */
export interface StatePage {
  /** The log's: another one is another state. */
  epoch: string
  /** The channel's: all changes up to it are in the entries. */
  version: number
  /** Of the keys that were asked for, those that there are. */
  entries: StateEntry[]
  /** Keys that didn't fit: they are to be asked for by themselves. */
  rest?: string[]
}

/** What a page wants to be told of a channel's state. */
export interface WatchedState {
  /** At most 500; of no others it is told. */
  keys: readonly string[]
  /** How often a second at most. */
  perSecond: number
}

/** The most keys that a page may watch in one channel. */
export const maxWatchedKeys = 500
/** The length of a key, in UTF-16 units. */
export const maxKeyLength = 200
/** The most keys that one connection may watch at a gateway, in all of its channels together. */
export const maxWatchedKeysAtOnce = 10_000
/** How often a page is told of changes, a second, unless it says otherwise. */
export const defaultStateRate = 4
/** The most that it may say. */
export const maxStateRate = 20

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null

/** Whether it may be somebody's key; what else a key has to be, its definition says. */
export const isKey = (value: unknown): value is string =>
  typeof value === "string" && value.length <= maxKeyLength

/** The keys that somebody asks for; null when they can't be. Never throws. */
export function parseWatchedKeys(value: unknown): string[] | null {
  return Array.isArray(value) && value.length <= maxWatchedKeys && value.every(isKey) ? value : null
}

function parseStateEntry(item: unknown): StateEntry | null {
  if (!isObject(item)) return null
  const { key, version, value, valueless } = item
  if (typeof key !== "string" || !isPosition(version)) return null
  if (valueless === true) return { key, version, valueless }
  return value === undefined ? { key, version } : { key, version, value }
}

function parseEntries(value: unknown): StateEntry[] | null {
  const entries = Array.isArray(value) ? value.map(parseStateEntry) : [null]
  return entries.every((entry) => entry !== null) ? entries : null
}

/** Reads what a provider delivered; null when it isn't one of our patches. Never throws. */
export function parseStatePatch(value: unknown): StatePatch | null {
  if (!isObject(value)) return null
  const { channel, epoch, from, to } = value
  const entries = parseEntries(value.entries)
  if (typeof channel !== "string" || typeof epoch !== "string" || !entries) return null
  return isPosition(from) && isPosition(to) && from <= to ? { channel, epoch, from, to, entries } : null
}

/** The patches of one delivery; what isn't one of ours is dropped. Never throws. */
export function parseStatePatches(value: unknown): StatePatch[] {
  return Array.isArray(value) ? value.map(parseStatePatch).filter((patch) => patch !== null) : []
}

/**
 * Reads a page of the state that came over the network. Throws `invalid-request` when it isn't one; the next
 * answer may be.
 */
export function parseStatePage(value: unknown): StatePage {
  const { epoch, version, rest, ...page } = isObject(value) ? value : {}
  const entries = parseEntries(page.entries)
  if (typeof epoch !== "string" || !isPosition(version) || !entries) {
    throw new RealtimeError("invalid-request", {
      message: "unable to read the state; the answer is malformed",
      retryable: true,
    })
  }
  const left = Array.isArray(rest) ? rest.filter((key) => typeof key === "string") : []
  return { epoch, version, entries, ...(left.length > 0 && { rest: left }) }
}

/** More holes than these aren't writers whose patches overtook each other. */
const maxRanges = 32

/** Which versions of one channel have come, in whatever order. */
export interface Coverage {
  /** Everything up to here has come. */
  readonly version: number
  /** Something newer has come, and what is before it hasn't. */
  readonly hasHole: boolean
  /** The newest that has come, behind a hole or not. */
  readonly newest: number
  /** What follows `from`, up to `to`, has come. */
  add(from: number, to: number): void
  /** Everything up to here is known by other means. */
  reach(version: number): void
  /** What is missing isn't waited for any more. Returns where the newest hole ended. */
  skip(): number
}

/** Everything up to `start` has come. */
export function createCoverage(start: number): Coverage {
  let version = start
  /** Apart from each other, in order, all beyond `version`. */
  let ahead: { from: number; to: number }[] = []

  function absorb(): void {
    while (ahead[0] && ahead[0].from <= version)
      version = Math.max(version, (ahead.shift() as { to: number }).to)
  }

  return {
    get version() {
      return version
    },
    get hasHole() {
      return ahead.length > 0
    },
    get newest() {
      return ahead.at(-1)?.to ?? version
    },
    add(from, to) {
      if (to <= version) return
      const touching = ahead.filter((range) => range.from <= to && from <= range.to)
      const joined = {
        from: Math.min(from, ...touching.map((range) => range.from)),
        to: Math.max(to, ...touching.map((range) => range.to)),
      }
      ahead = [...ahead.filter((range) => !touching.includes(range)), joined].sort((a, b) => a.from - b.from)
      absorb()
      // The oldest is forgotten: its hole becomes one with the next, and is found all the same.
      if (ahead.length > maxRanges) ahead.shift()
    },
    reach(known) {
      version = Math.max(version, known)
      absorb()
    },
    skip() {
      const newest = ahead.at(-1)
      const end = newest?.from ?? version
      version = newest?.to ?? version
      ahead = []
      return end
    },
  }
}
