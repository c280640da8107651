import { RealtimeError } from "../errors.ts"
import type { StateStore, StateWrite, StateWritten } from "../log/state-store.ts"
import type { StatePatch } from "../state.ts"
import { withinLimit } from "../within-limit.ts"

/** Where a write stands. */
export interface StateReceipt {
  /** The channel's version: everything that was written before it has a smaller one. */
  version: number
  /** The log's: versions of another one say nothing of this. */
  epoch: string
}

/** What is asked to be written at a key. */
export interface StateChange {
  channel: string
  key: string
  /** `set`: the whole value. `patch`: fields, the others stay. `delete`: none. */
  kind: "set" | "patch" | "delete"
  value?: unknown
  /**
   * What the value becomes by its schema, and within the limits of a payload; rejects with why it is refused.
   */
  accept(value: unknown): Promise<unknown>
}

export interface StateWriterOptions {
  store: StateStore
  /** The most keys of a channel. */
  maxKeys: number
  /** The most changes that may wait. Default 20,000. */
  maxWaiting?: number | undefined
  /** How long a schema may take: the changes that follow wait for it. Default 10 s. */
  acceptLimitMs?: number | undefined
  /** Told what was written, in the order of versions. */
  onCommit(patches: StatePatch[]): void
}

interface Waiting extends StateChange {
  /** Of a `set`: begun when it was asked for. */
  accepted: Promise<unknown>
  attempts: number
  resolve(receipt: StateReceipt): void
  reject(error: unknown): void
}

/** What becomes of one key by a group of changes. */
interface Working {
  channel: string
  key: string
  /** Undefined: there is none. */
  value: unknown
  /** The version of the entry that fields were changed of; undefined: what was there doesn't matter. */
  ifVersion: number | undefined
  changes: Waiting[]
}

/** How often fields are changed anew because somebody else has changed the value meanwhile. */
const maxAttempts = 8
/** The most changes of one transaction. */
const maxGroup = 1_000

export interface StateWriter {
  write(change: StateChange): Promise<StateReceipt>
  /** Resolves when what was asked until now is answered. */
  idle(): Promise<void>
}

/**
 * While one transaction is being written the next changes gather; of those of one key the last one's value is
 * written, and all of them get its version. So the store's work follows its own pace and the number of keys.
 */
export function createStateWriter(options: StateWriterOptions): StateWriter {
  const { store, maxKeys, maxWaiting = 20_000, acceptLimitMs = 10_000, onCommit } = options
  let waiting: Waiting[] = []
  let draining: Promise<void> | null = null

  async function drain(): Promise<void> {
    while (waiting.length > 0) {
      const group = waiting.slice(0, maxGroup)
      waiting = waiting.slice(maxGroup)
      try {
        await commit(group)
      } catch (error) {
        for (const { reject } of group) reject(error)
      }
    }
    draining = null
  }

  async function commit(group: readonly Waiting[]): Promise<void> {
    const all = await apply(group)
    if (all.length === 0) return
    const writes = all.map(
      ({ channel, key, value, ifVersion }): StateWrite => ({
        ...{ channel, key, value: value === undefined ? null : JSON.stringify(value) },
        ...(ifVersion !== undefined && { ifVersion }),
      }),
    )
    const results = await store.write(writes, { maxKeys })
    onCommit(toPatches(all, results))
    const again: Waiting[] = []
    for (const [index, { key, changes }] of all.entries()) {
      const result = results[index] as StateWritten
      for (const change of changes) {
        if ("version" in result) change.resolve(result)
        else if (result.refused === "full") change.reject(full(key, maxKeys))
        else if (change.attempts >= maxAttempts) change.reject(contended(key))
        else again.push({ ...change, attempts: change.attempts + 1 })
      }
    }
    waiting = [...again, ...waiting]
  }

  /** What becomes of each key; a change that is refused leaves it to the others. */
  async function apply(group: readonly Waiting[]): Promise<Working[]> {
    const stored = await readPatched(group)
    const working = new Map<string, Working>()
    for (const change of group) {
      const { channel, key, kind } = change
      const name = nameOf(change)
      const { value, ifVersion = 0 } = stored.get(name) ?? {}
      const to: Working = working.get(name) ?? { channel, key, value, ifVersion, changes: [] }
      try {
        if (kind === "patch") to.value = await change.accept(merge(to.value, change.value))
        else Object.assign(to, { value: await change.accepted, ifVersion: undefined })
        to.changes.push(change)
        working.set(name, to)
      } catch (error) {
        change.reject(error)
      }
    }
    return [...working.values()]
  }

  async function readPatched(group: readonly Waiting[]) {
    const stored = new Map<string, { value: unknown; ifVersion: number }>()
    const patches = group.filter(({ kind }) => kind === "patch")
    for (const [channel, changes] of Map.groupBy(patches, (change) => change.channel)) {
      const keys = changes.map(({ key }) => key)
      const { entries } = await store.read(channel, keys)
      for (const key of keys) stored.set(nameOf({ channel, key }), { value: undefined, ifVersion: 0 })
      for (const { key, value, version } of entries)
        stored.set(nameOf({ channel, key }), { value, ifVersion: version })
    }
    return stored
  }

  return {
    write: (change) =>
      new Promise((resolve, reject) => {
        if (waiting.length >= maxWaiting) throw tooMany(change.key, maxWaiting)
        const accept: StateChange["accept"] = (value) =>
          withinLimit(acceptLimitMs, `check the value of "${change.key}"`, () => change.accept(value))
        const accepted = change.kind === "set" ? accept(change.value) : Promise.resolve()
        // It is looked at in its turn.
        accepted.catch(() => {})
        waiting.push({ ...change, accept, accepted, attempts: 1, resolve, reject })
        draining ??= Promise.resolve().then(drain)
      }),
    async idle() {
      await draining
    },
  }
}

const nameOf = ({ channel, key }: { channel: string; key: string }) => `${channel}\n${key}`

const isRecord = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/**
 * Absent fields stay as they are, and so do those that are undefined, as JSON has no such thing; what has no
 * fields is replaced.
 */
function merge(before: unknown, fields: unknown): unknown {
  if (!isRecord(before) || !isRecord(fields)) return fields
  const given = Object.entries(fields).filter(([, value]) => value !== undefined)
  return { ...before, ...Object.fromEntries(given) }
}

/** What was written together has versions that follow each other, in each channel. */
function toPatches(all: readonly Working[], results: readonly StateWritten[]): StatePatch[] {
  const patches = new Map<string, StatePatch>()
  for (const [index, { channel, key, value }] of all.entries()) {
    const result = results[index] as StateWritten
    if ("refused" in result) continue
    const { epoch, version } = result
    const patch = patches.get(channel) ?? { channel, epoch, from: version - 1, to: version, entries: [] }
    patches.set(channel, patch)
    patch.to = version
    patch.entries.push(value === undefined ? { key, version } : { key, version, value })
  }
  return [...patches.values()]
}

/** It doesn't pass by itself: keys have to be deleted, or the limit raised. */
const full = (key: string, maxKeys: number) =>
  new RealtimeError("rate-limited", {
    message: `unable to set "${key}"; the channel's state has ${maxKeys} keys, which is the most`,
    retryable: false,
  })

const tooMany = (key: string, maxWaiting: number) =>
  new RealtimeError("rate-limited", {
    message: `unable to write "${key}"; ${maxWaiting} changes wait already`,
  })

const contended = (key: string) =>
  new RealtimeError("conflict", { message: `unable to change "${key}"; others change it all the time` })
