import { type Coverage, createCoverage, type StateEntry, type StatePage, type StatePatch } from "../state.ts"

/** What is known of a watched key. */
interface Known {
  /** Everything up to here is in `entry`; -1: nothing of it is known. */
  version: number
  /**
   * Null: there is none. With a `version` of -1 it is what another life of the state left, shown until it is
   * read.
   */
  entry: StateEntry | null
  isUnread: boolean
  /** It was asked for since it became unread: an answer to an earlier request won't do. */
  isAsked: boolean
  /** When it was asked for, something of this version had come: an answer that ends before it lags. */
  since: number
  /** The newest version that came without its value. */
  neededVersion: number
}

/** What follows from something that came. */
export interface StateVerdict {
  /** `ignore`: nothing new. `wait`: what is missing may be on its way. `read`: it has to be read. */
  type: "apply" | "ignore" | "wait" | "read"
  /** The watched keys whose values are others now; also with `wait` and `read`. */
  changed: string[]
}

/** A channel's state as one page sees it. It only decides: reads and waits are its owner's. */
export interface KeyedState {
  /** Everything up to here is in the values of all keys; null before anything was read. */
  readonly version: { epoch: string; version: number } | null
  /** From now on these keys, and no others. */
  watch(keys: readonly string[]): void
  /**
   * What was read before, of these keys, which will be watched: it counts until something newer has come, and
   * is read again.
   */
  seed(page: StatePage, keys: readonly string[]): void
  /**
   * The watched keys that have to be read, now: an answer that is older than what has come by now won't do.
   */
  ask(): string[]
  /** Undefined: there is none, or it isn't known yet. */
  value(key: string): unknown
  /** It is known whether there is a value. */
  isKnown(key: string): boolean
  patch(patch: StatePatch): StateVerdict
  /** What was read of these keys. */
  page(page: StatePage, asked: readonly string[]): StateVerdict
  /** What is missing has been waited for long enough, or something may have been missed. */
  overdue(): StateVerdict
}

/**
 * So many reads in a row that end before what is known say that the state went back, and not that one lags.
 */
const maxVainReads = 6
/** The most ranges that are kept until the first page is there; what is forgotten is a hole. */
const maxEarly = 32

const unread = { isUnread: true, isAsked: false, since: 0, neededVersion: 0 }

export function createKeyedState(): KeyedState {
  const keys = new Map<string, Known>()
  let epoch: string | null = null
  /** Null until a page has said where the state is. */
  let coverage: Coverage | null = null
  /** Where it was when it was read before. */
  let seeded = 0
  let vain = 0
  /** Ranges that came before the first page: they are looked at with it. */
  let early: { from: number; to: number }[] = []

  const hasUnread = () => [...keys.values()].some(({ isUnread }) => isUnread)

  /**
   * Another life of the state: nothing that was known says anything of it. The values stay shown until it is
   * read.
   */
  function begin(next: string): void {
    epoch = next
    coverage = null
    seeded = 0
    early = []
    for (const known of keys.values()) Object.assign(known, { version: -1, ...unread })
  }

  function readAll(): StateVerdict {
    for (const known of keys.values()) Object.assign(known, { isUnread: true, isAsked: false })
    return { type: "read", changed: [] }
  }

  /** Returns whether the value is another one now. */
  function take(known: Known, given: StateEntry | null, version: number): boolean {
    if (version <= known.version) return false
    const entry = given?.value === undefined ? null : given
    const isOther = known.version < 0 || entry?.version !== known.entry?.version
    known.version = version
    known.entry = entry
    return isOther
  }

  function verdict(changed: string[]): StateVerdict {
    if (!coverage || hasUnread()) return { type: "read", changed }
    if (coverage.hasHole) return { type: "wait", changed }
    return { type: changed.length > 0 ? "apply" : "ignore", changed }
  }

  return {
    get version() {
      return epoch !== null && coverage ? { epoch, version: coverage.version } : null
    },
    watch(wanted) {
      const next = new Set(wanted)
      for (const key of keys.keys()) if (!next.has(key)) keys.delete(key)
      for (const key of next) if (!keys.has(key)) keys.set(key, { version: -1, entry: null, ...unread })
    },
    seed(page, wanted) {
      if (epoch === null) begin(page.epoch)
      // What was heard since is of another life of the state.
      if (page.epoch !== epoch) return
      const entries = new Map(page.entries.map((entry) => [entry.key, entry]))
      for (const key of wanted) {
        const entry = entries.get(key)
        if (!entry) continue
        const known = keys.get(key) ?? { version: -1, entry: null, ...unread }
        keys.set(key, known)
        take(known, entry, page.version)
      }
      seeded = Math.max(seeded, page.version)
    },
    ask() {
      const asked = [...keys].filter(([, { isUnread }]) => isUnread)
      const since = coverage?.newest ?? seeded
      for (const [, known] of asked) Object.assign(known, { isAsked: true, since })
      return asked.map(([key]) => key)
    },
    value: (key) => keys.get(key)?.entry?.value,
    isKnown: (key) => (keys.get(key)?.version ?? -1) >= 0,

    patch(patch) {
      // Another life of the state, or what is left of the one before: a page tells which.
      if (coverage && patch.epoch !== epoch) return readAll()
      if (patch.epoch !== epoch) begin(patch.epoch)
      const changed: string[] = []
      for (const entry of patch.entries) {
        const known = keys.get(entry.key)
        if (!known) continue
        if (entry.valueless) {
          // Its value stays shown until it is read.
          if (entry.version > known.version)
            Object.assign(known, { isUnread: true, neededVersion: entry.version })
        } else if (take(known, entry, entry.version)) changed.push(entry.key)
      }
      const { from, to } = patch
      if (coverage) coverage.add(from, to)
      else early = [...early.slice(1 - maxEarly), { from, to }]
      return verdict(changed)
    },

    page(page, asked) {
      const isBehind = page.epoch === epoch && asked.some((key) => page.version < (keys.get(key)?.since ?? 0))
      if (isBehind) {
        vain += 1
        if (vain < maxVainReads) return { type: "read", changed: [] }
      }
      vain = 0
      const isAnswered = new Set(asked.filter((key) => keys.get(key)?.isAsked))
      if (isBehind || page.epoch !== epoch) begin(page.epoch)
      const rest = new Set(page.rest)
      const entries = new Map(page.entries.map((entry) => [entry.key, entry]))
      const changed = asked.filter((key) => {
        const known = keys.get(key)
        if (!known || rest.has(key)) return false
        known.isUnread = !isAnswered.has(key) || page.version < known.neededVersion
        return take(known, entries.get(key) ?? null, page.version)
      })
      coverage ??= createCoverage(page.version)
      for (const { from, to } of early.splice(0)) coverage.add(from, to)
      // What was read of some keys says nothing of the others.
      coverage.reach(Math.min(page.version, ...[...keys.values()].map(({ version }) => version)))
      return verdict(changed)
    },

    overdue: readAll,
  }
}
